//go:build !race

package balenasim

const raceDetector = false
