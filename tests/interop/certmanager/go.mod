// Builds cert-manager's own packages: its commands are modules of their own, without a version
// to ask for. The path lets it import what is internal to that module.
module github.com/cert-manager/cert-manager/interop

go 1.20

require github.com/cert-manager/cert-manager v1.12.3
