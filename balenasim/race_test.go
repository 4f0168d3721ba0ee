//go:build race

package balenasim

const raceDetector = true
