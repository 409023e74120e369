# Supported until April 2029, and less memory under load than Node 24; Node 22 ends in April 2027
# (docs/performance.md).
ARG NODE_VERSION=26
# What the image is built on: any image with Node, also one without a shell (docs/operations.md, "Another base").
ARG BASE=node:${NODE_VERSION}-slim

FROM node:${NODE_VERSION}-slim AS build
# The path of Node in the base.
ARG NODE=/usr/local/bin/node
WORKDIR /holdfast
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json LICENSE ./
COPY components components
COPY proto proto
COPY scripts scripts
COPY src src
RUN npm ci && node scripts/image/lay-out.js /image "$NODE"

FROM ${BASE}
ARG BASE
ARG VERSION=0.2.0
ARG REVISION=
LABEL org.opencontainers.image.title="Holdfast" \
  org.opencontainers.image.description="A distributed-lock sidecar that any Dapr client can use unchanged" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="${BASE}"
ENV NODE_ENV=production
# All that runs is in dist; there are no packages beside it.
COPY --from=build /image /
# As in daprd's image: ./daprd and ./components are found here.
WORKDIR /
# By number: Kubernetes can't tell that a name is not root (runAsNonRoot).
USER 1000:1000
EXPOSE 3500 50001 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["/holdfast/healthcheck.js"]
ENTRYPOINT ["/daprd"]
CMD ["--app-id", "myapp"]
