// Package packaging tests what operators install: images, packages, manifests. It is a module of its own, so that the API types of
// Kubernetes, BuildKit and Compose do not become requirements of the receiver.
package packaging
