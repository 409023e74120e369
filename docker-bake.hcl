# The image for several platforms, with its bill of materials and its provenance:
#   docker buildx bake                     builds it for this machine and loads it as holdfast:latest
#   docker buildx bake --push release      builds it for amd64 and arm64 and pushes it
# Variables are set by the environment. The release workflow sets all of them.

variable "IMAGE" {
  default = "holdfast"
}

variable "VERSION" {
  default = "latest"
}

variable "REVISION" {
  default = ""
}

variable "CREATED" {
  default = ""
}

variable "SOURCE" {
  default = ""
}

group "default" {
  targets = ["local"]
}

target "image" {
  context = "."
  labels = {
    "org.opencontainers.image.title"       = "Holdfast"
    "org.opencontainers.image.description" = "A distributed-lock sidecar that any Dapr client can use unchanged."
    "org.opencontainers.image.licenses"    = "Apache-2.0"
    "org.opencontainers.image.version"     = VERSION
    "org.opencontainers.image.revision"    = REVISION
    "org.opencontainers.image.created"     = CREATED
    "org.opencontainers.image.source"      = SOURCE
  }
}

target "local" {
  inherits = ["image"]
  tags     = ["${IMAGE}:${VERSION}"]
  output   = ["type=docker"]
}

target "release" {
  inherits  = ["image"]
  platforms = ["linux/amd64", "linux/arm64"]
  tags      = ["${IMAGE}:${VERSION}"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
}
