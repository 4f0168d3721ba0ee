package browser

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	shots   = flag.String("shots", "", "folder to write pictures of all views to, to look at")
)

// patience only bounds failing tests.
const patience = 60 * time.Second

// browser is a running Chromium.
type browser struct {
	ctx context.Context
	axe string
}

// chromium is started by the first test that needs it, and stopped after the last.
var chromium struct {
	once    sync.Once
	browser browser
	missing string
	stop    []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.missing != "" {
		fmt.Fprintf(os.Stderr, "\n*** THE FLEET PAGE IS NOT TESTED IN A BROWSER: no %s ***\n*** apt-get install chromium npm, then make browser ***\n\n", chromium.missing)
	}
	for _, stop := range slices.Backward(chromium.stop) {
		stop()
	}
	os.Exit(code)
}

// startBrowser returns the running Chromium, or skips the test where there is none. In CI that fails.
func startBrowser(t *testing.T) browser {
	t.Helper()
	chromium.once.Do(launch)
	if chromium.missing != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the fleet page cannot be tested without %s", chromium.missing)
		}
		t.Skipf("no %s", chromium.missing)
	}
	return chromium.browser
}

func launch() {
	axe, err := os.ReadFile(*axeFile)
	if err != nil {
		chromium.missing = "axe-core: " + err.Error()
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which Chromium refuses to have as root
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	chromium.stop = append(chromium.stop, cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.stop = append(chromium.stop, cancel)
	if err := chromedp.Do(ctx); err != nil {
		chromium.missing = "Chromium: " + err.Error()
		return
	}
	chromium.browser = browser{ctx, string(axe)}
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

// name is for files.
func (l look) name() string {
	name := fmt.Sprint(l.width)
	if l.dark {
		name += "-dark"
	}
	return name
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
	call(t, opened, log.Enable, struct{}{})
	call(t, opened, runtime.Enable, struct{}{})
	opened.look(t, l)
	call(t, opened, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript})
	opened.run(t, chromedp.Navigate(url), chromedp.WaitReady("main"))
	return opened
}

// look changes the window and the scheme.
func (o *tab) look(t *testing.T, l look) {
	t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	call(t, o, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 600,
	})
	call(t, o, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
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

// sound fails the test if the page, however it is looked at, scrolls sideways or has a barrier that axe finds, or if the console has errors.
func (o *tab) sound(t *testing.T, b browser, name string) {
	t.Helper()
	evaluate[any](t, o, b.axe+";null")
	for _, l := range looks() {
		o.look(t, l)
		assert.Empty(t, evaluate[[]string](t, o, `document.documentElement.scrollWidth <= innerWidth ? [] :
			[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 200))`), "%s: the page scrolls sideways", l)
		rules := `{resultTypes: ["violations"], iframes: false, preload: false}`
		if l.dark {
			rules = `{runOnly: ["color-contrast", "link-in-text-block"], resultTypes: ["violations"], iframes: false, preload: false}` // the others do not depend on colors
		}
		violations := evaluate[json.RawMessage](t, o, `axe.run(`+rules+`).then(r => r.violations.map(v => ({id: v.id, help: v.help, nodes: v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary)})))`)
		assert.JSONEq(t, `[]`, string(violations), l.String())
		if *shots != "" {
			o.write(t, filepath.Join(*shots, strings.ReplaceAll(name, " ", "-")+"-"+l.name()+".png"))
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	assert.Empty(t, o.errors)
}

func (o *tab) write(t *testing.T, file string) {
	t.Helper()
	png, err := chromedp.Run(o.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, png, 0o644))
}

// picture writes what can be seen to docs/images, if the pictures are to be updated.
func (o *tab) picture(t *testing.T, l look, name string) {
	t.Helper()
	if *update {
		o.look(t, l)
		o.write(t, filepath.Join("..", "..", "docs", "images", "page-"+name+".png"))
	}
}
