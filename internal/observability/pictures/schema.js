// Validates the dashboards against Grafana's own types: that of a dashboard, and those of each panel's options.
import { createGenerator } from 'ts-json-schema-generator';
import Ajv from 'ajv';
import { readFileSync, readdirSync } from 'node:fs';

const panelTypes = 'node_modules/@grafana/schema/dist/esm/raw/composable';
const folder = '../../../observability/dashboards';
const panels = { bargauge: 'BarGauge', stat: 'Stat', table: 'Table', timeseries: 'TimeSeries' };

const ajv = new Ajv({ strict: false, allErrors: true, allowUnionTypes: true });

function validator(path, type) {
  const schema = createGenerator({ path, type, skipTypeCheck: true, additionalProperties: false }).createSchema(type);
  return ajv.compile(schema);
}

const validDashboard = validator('node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen.d.ts', 'Dashboard');
const validOptions = Object.fromEntries(Object.entries(panels).map(([type, name]) =>
  [type, validator(`${panelTypes}/${type}/panelcfg/x/${name}PanelCfg_types.gen.d.ts`, 'Options')]));

let failed = false;
function check(what, valid, value) {
  if (valid(value)) return;
  failed = true;
  for (const error of valid.errors) console.error(`${what}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const dashboard = JSON.parse(readFileSync(`${folder}/${file}`));
  check(file, validDashboard, dashboard);
  for (const panel of dashboard.panels) {
    if (!validOptions[panel.type]) throw new Error(`${file}: no type is known for panels of type ${panel.type}`);
    check(`${file}: ${panel.title}`, validOptions[panel.type], panel.options);
  }
  console.log(`${file}: ${dashboard.panels.length} panels`);
}
process.exit(failed ? 1 : 0);
