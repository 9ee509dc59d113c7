# One static binary and nothing else: no shell, no package manager, no user database.
#
#   docker build -t countersign:0.1.0 .
#
# From a binary that is built already (a folder that holds it as `countersign`), without the build stage:
#
#   docker build --build-context binary=FOLDER -t countersign:0.1.0 .

FROM docker.io/library/rust:1.95.0-bookworm AS build
WORKDIR /source
COPY . .
# The target is named so that the flag holds for the binary alone, and not for build scripts and macros.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --release --locked --bin countersign --target x86_64-unknown-linux-gnu \
    && install -D target/x86_64-unknown-linux-gnu/release/countersign /binary/countersign

# What the image holds, alone in a folder, so that --build-context can take its place.
FROM scratch AS binary
COPY --from=build /binary/countersign /countersign

FROM scratch
LABEL org.opencontainers.image.title="countersign" \
      org.opencontainers.image.description="Admission control for confidential pods on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=binary /countersign /countersign
# Errors are values here, made by the thousands while a policy is evaluated: none of them carries a trace.
ENV RUST_LIB_BACKTRACE=0
# The user of the Deployment. A number, since there are no names here.
USER 65532:65532
ENTRYPOINT ["/countersign"]
CMD ["serve"]
