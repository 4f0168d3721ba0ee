// Draws a dashboard of observability/dashboards with Grafana's own components: /?dashboard=fleets. The server next to it (pictures_test.go)
// has /dashboards and the part of Prometheus' API that is needed.
import React, { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createTheme, ThemeContext, toDataFrame, FieldType, applyFieldOverrides, getDisplayProcessor, dateTime, LoadingState, createFieldConfigRegistry } from '@grafana/data';
import { PanelChrome, BigValue, BigValueColorMode, BigValueGraphMode, TimeSeries, Table, GlobalStyles, BarGauge, BarGaugeDisplayMode, VizRepeater } from '@grafana/ui';

const theme = createTheme({ colors: { mode: 'dark' } });
const parameters = new URLSearchParams(location.search);
const name = parameters.get('dashboard') ?? 'fleets';
const unit = 1584 / 24, row = 38, gap = 8;

const choices = { organization: '.*', fleet: parameters.get('fleet') ?? '.+', tag: 'site', value: '.*', device: '' };
const choose = (expr) => expr.replace(/\$(organization|fleet|tag|value|device)/g, (_, variable) => choices[variable]);
const legendOf = (legend, labels) => legend.replace(/{{\s*(\w+)\s*}}/g, (_, label) => labels[label] ?? '');

async function get(path, query) {
  const response = await fetch(path + '?' + new URLSearchParams(query));
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()).data.result;
}

// field merges the defaults of a panel with its overrides for a name.
function field(panel, name) {
  const config = structuredClone(panel.fieldConfig.defaults);
  if (config.thresholds) config.thresholds.steps[0].value = -Infinity;
  for (const override of panel.fieldConfig.overrides) {
    if (override.matcher.options !== name) continue;
    for (const { id, value } of override.properties) {
      if (id.startsWith('custom.')) config.custom = { ...config.custom, [id.slice(7)]: value };
      else config[id] = structuredClone(value);
    }
    if (config.thresholds) config.thresholds.steps[0].value = -Infinity;
    if (config.thresholds && config.custom?.cellOptions) config.color = { mode: 'thresholds' };
  }
  delete config.links;
  return config;
}

function frame(panel, times, series, legend, index) {
  const label = legendOf(legend, series.metric) || panel.title;
  const values = new Map(series.values.map(([t, v]) => [t * 1000, +v]));
  const config = { ...field(panel, label), displayName: label };
  const f = { name: label, type: FieldType.number, values: times.map((t) => values.get(t) ?? null), labels: {}, config, state: { seriesIndex: index } };
  f.display = getDisplayProcessor({ field: f, theme });
  return toDataFrame({ name: label, fields: [{ name: 'time', type: FieldType.time, values: times, config: {} }, f] });
}

function Panel({ panel, range, times }) {
  const [results, setResults] = useState(null);
  useEffect(() => { (async () => {
    setResults(await Promise.all(panel.targets.map((target) => target.instant
      ? get('api/v1/query', { query: choose(target.expr), time: range.to })
      : get('api/v1/query_range', { query: choose(target.expr), start: range.from, end: range.to, step: range.step }))));
    window.pending--;
  })().catch((error) => { console.error(panel.title + ': ' + error); document.title = 'failed'; }); }, []);
  const width = panel.gridPos.w * unit - gap, height = panel.gridPos.h * row - gap;
  return <div style={{ position: 'absolute', left: panel.gridPos.x * unit, top: panel.gridPos.y * row, width, height }}>
    <PanelChrome title={panel.title} description={panel.description} width={width} height={height} loadingState={LoadingState.Done}>
      {(w, h) => results && draw(panel, results, w, h, range, times)}
    </PanelChrome></div>;
}

function draw(panel, results, width, height, range, times) {
  if (results.every((result) => result.length === 0)) {
    return <div style={{ width, height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>{panel.fieldConfig.defaults.noValue}</div>;
  }
  if (panel.type === 'table') {
    const { renameByName, indexByName } = panel.transformations[0].options;
    const columns = Object.keys(renameByName).sort((a, b) => indexByName[a] - indexByName[b]);
    const data = toDataFrame({ fields: columns.map((column) => {
      const number = column === 'Value';
      const f = { name: renameByName[column], type: number ? FieldType.number : FieldType.string, config: field(panel, renameByName[column]),
        values: results[0].map((r) => number ? +r.value[1] : r.metric[column] ?? '') };
      if (!number) delete f.config.unit;
      f.display = getDisplayProcessor({ field: f, theme });
      return f;
    }) });
    return <Table data={data} width={width} height={height} />;
  }
  if (panel.type === 'bargauge') {
    const values = results[0].map((r) => {
      const f = { name: 'v', type: FieldType.number, values: [+r.value[1]], config: field(panel, 'v') };
      f.display = getDisplayProcessor({ field: f, theme });
      return { ...f.display(+r.value[1]), title: legendOf(panel.targets[0].legendFormat, r.metric), field: f };
    });
    return <VizRepeater source={values} getValues={() => values} width={width} height={height} orientation="horizontal" itemSpacing={6} renderCounter={0} minVizHeight={16}
      renderValue={({ value, width, height, alignmentFactors }) =>
        <BarGauge value={value} field={value.field.config} display={value.field.display} width={width} height={height} orientation="horizontal" theme={theme}
          itemSpacing={6} displayMode={BarGaugeDisplayMode.Basic} namePlacement={panel.options.namePlacement} showUnfilled alignmentFactors={{ title: values.reduce((a, v) => v.title.length > a.length ? v.title : a, ''), text: '100%' }} />} />;
  }
  let index = 0;
  const frames = results.flatMap((result, i) => result.map((series) => frame(panel, times, series, panel.targets[i].legendFormat, index++)));
  if (panel.type === 'stat') {
    const f = frames[0].fields[1];
    const last = f.values.findLast((v) => v !== null);
    return <BigValue width={width} height={height} theme={theme} value={f.display(last)} colorMode={BigValueColorMode.Background}
      graphMode={BigValueGraphMode.Area} sparkline={{ y: f, x: frames[0].fields[0] }} />;
  }
  const drawn = applyFieldOverrides({ data: frames, fieldConfig: { defaults: {}, overrides: [] }, replaceVariables: (s) => s, theme, timeZone: 'utc' });
  return <TimeSeries frames={drawn} width={width} height={height} timeZone="utc" legend={panel.options.legend}
    timeRange={{ from: dateTime(range.from * 1000), to: dateTime(range.to * 1000), raw: { from: 'now-12h', to: 'now' } }} />;
}

function App({ dashboard, range }) {
  const times = [];
  for (let t = range.from; t <= range.to; t += range.step) times.push(t * 1000);
  const height = Math.max(...dashboard.panels.map((p) => (p.gridPos.y + p.gridPos.h) * row));
  return <ThemeContext.Provider value={theme}><GlobalStyles />
    <div style={{ background: theme.colors.background.canvas, padding: gap, minHeight: height }}>
      <div style={{ color: theme.colors.text.primary, font: '500 18px Inter, Roboto, sans-serif', height: 32 }}>{dashboard.title}{parameters.get('device') ? ' / ' + parameters.get('device') : ''}</div>
      <div style={{ position: 'relative', height }}>{dashboard.panels.map((p) => <Panel key={p.id} panel={p} range={range} times={times} />)}</div>
    </div></ThemeContext.Provider>;
}

const [dashboard, range] = await Promise.all([fetch('dashboards/' + name + '.json').then((r) => r.json()), fetch('range').then((r) => r.json())]);
if (parameters.has('device')) { // by name; the dashboard wants the UUID
  const [device] = await get('api/v1/query', { query: `balena_device_online{balena_device_name="${parameters.get('device')}"}`, time: range.to });
  choices.device = device.metric.balena_device_uuid;
}
createRoot(document.getElementById('root')).render(<App dashboard={dashboard} range={range} />);
