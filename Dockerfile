# One static image for all roles: the binary, the CA certificates, the shipped rules, the list of what it is made of. Nothing else:
# no shell, no package manager, no user but a number.
#
# `make image` gives buildah a folder in place of the stage `build` where there is no Docker engine, and no registry for its base.
ARG BUILD=docker.io/library/rust:1.95-bookworm
# hadolint ignore=DL3006
FROM ${BUILD} AS build
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools make gcc perl python3 ca-certificates && rm -rf /var/lib/apt/lists/*
RUN rustup target add x86_64-unknown-linux-musl
WORKDIR /src
COPY . .
RUN deploy/image/root.sh /out

FROM scratch
COPY --from=build /out/ /
LABEL org.opencontainers.image.title="chorus" \
      org.opencontainers.image.description="The event pipeline of a city's safety centre" \
      org.opencontainers.image.licenses="Apache-2.0"
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["/chorus"]
