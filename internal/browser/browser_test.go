package browser

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	axeFile = flag.String("axe", "../../dist/browser/node_modules/axe-core/axe.min.js", "axe-core (make browser fetches it)")
	update  = flag.Bool("update", false, "write the pictures of the documentation")
)

// patience only bounds failing tests.
const patience = 60 * time.Second

// browser is a running Chromium.
type browser struct {
	ctx context.Context
	axe string
}

// startBrowser starts Chromium, or skips the test where there is none. In CI that fails.
func startBrowser(t *testing.T) browser {
	t.Helper()
	axe, err := os.ReadFile(*axeFile)
	missing := ""
	if err != nil {
		missing = "axe-core: " + err.Error()
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(patience))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which Chromium refuses to have as root
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil && missing == "" {
		missing = "Chromium: " + err.Error()
	}
	if missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the fleet page cannot be tested without %s", missing)
		}
		t.Skipf("THE FLEET PAGE IS NOT TESTED IN A BROWSER: no %s (apt-get install chromium, make browser)", missing)
	}
	return browser{ctx, string(axe)}
}

// look is how a page is looked at.
type look struct {
	width, height int64
	dark          bool
	noScript      bool
}

func (l look) String() string {
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	return fmt.Sprintf("%d pixels wide, %s", l.width, scheme)
}

func looks() []look {
	return []look{{width: 1600, height: 900}, {width: 1600, height: 900, dark: true}, {width: 360, height: 740}, {width: 360, height: 740, dark: true}}
}

// tab is an open page, with what went wrong in it.
type tab struct {
	ctx    context.Context
	mu     sync.Mutex
	errors []string
}

func (b browser) open(t *testing.T, l look, url string) *tab {
	t.Helper()
	opened := &tab{}
	// The first action on a context must not have a timeout.
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(opened.listen))
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	opened.ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	call(t, opened, log.Enable, struct{}{})
	call(t, opened, runtime.Enable, struct{}{})
	call(t, opened, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 600,
	})
	call(t, opened, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	call(t, opened, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript})
	opened.run(t, chromedp.Navigate(url), chromedp.WaitReady("main"))
	return opened
}

func call[P, R any](t *testing.T, o *tab, command cdp.Command[P, R], params P) {
	t.Helper()
	_, err := chromedp.Call(o.ctx, command, params)
	require.NoError(t, err)
}

func (o *tab) listen(event any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		o.errors = append(o.errors, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		for _, arg := range e.Args {
			o.errors = append(o.errors, fmt.Sprintf("console.%s: %s", e.Type, arg.Value))
		}
	case *log.EventEntryAdded:
		o.errors = append(o.errors, fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL))
	case *page.EventJavascriptDialogOpening:
		o.errors = append(o.errors, "a dialog opened: "+e.Message)
	}
}

func (o *tab) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(o.ctx, actions...))
}

// evaluate returns the JSON of an expression.
func evaluate[T any](t *testing.T, o *tab, expression string) (value T) {
	t.Helper()
	value, err := chromedp.Run(o.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return value
}

// text is what can be read, with single spaces.
func (o *tab) text(t *testing.T) string {
	t.Helper()
	return strings.Join(strings.Fields(evaluate[string](t, o, `document.body.innerText`)), " ")
}

// sound fails the test if the console has errors, if the page scrolls sideways, or if axe finds a barrier.
func (o *tab) sound(t *testing.T, b browser) {
	t.Helper()
	assert.False(t, evaluate[bool](t, o, `document.documentElement.scrollWidth > document.documentElement.clientWidth`), "the page scrolls sideways")
	evaluate[any](t, o, b.axe+";null")
	violations := evaluate[json.RawMessage](t, o, `axe.run().then(r => r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary)})))`)
	assert.JSONEq(t, `[]`, string(violations))
	o.mu.Lock()
	defer o.mu.Unlock()
	assert.Empty(t, o.errors)
}

// picture writes what can be seen to docs/images, if the pictures are to be updated.
func (o *tab) picture(t *testing.T, name string) {
	t.Helper()
	if !*update {
		return
	}
	png, err := chromedp.Run(o.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join("..", "..", "docs", "images", name+".png"), png, 0o644))
}
