// Package browser tests the fleet page in a real browser: each view on the fleets of each scenario of the simulator, wide and narrow, light
// and dark, with axe for accessibility. It is a module of its own, so that the browser's driver does not become a requirement of the
// receiver's.
package browser
