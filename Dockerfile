# Supported until April 2029, and less memory under load than Node 24; Node 22 ends in April 2027
# (docs/performance.md).
ARG NODE_VERSION=26

FROM node:${NODE_VERSION}-slim AS build
WORKDIR /holdfast
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY proto proto
COPY src src
RUN npm ci

FROM node:${NODE_VERSION}-slim
WORKDIR /holdfast
ENV NODE_ENV=production
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
# `prepare` finds no compiler here and leaves dist to the next lines.
RUN npm ci --omit=dev
COPY --from=build /holdfast/dist dist
COPY components/lockstore.yaml /components/lockstore.yaml
# Containers that were written for daprd start `/daprd` or `./daprd`.
RUN ln -s /holdfast/scripts/daprd /daprd && ln -s /holdfast/scripts/daprd daprd
USER node
EXPOSE 3500 50001 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "scripts/healthcheck.js"]
ENTRYPOINT ["/daprd"]
CMD ["--app-id", "myapp"]
