/* global crypto, document, fetch, localStorage, location */
/** An app that takes part: what is specific to Starling is in `join` and `personalise`, the rest shows it. */
import { browserHost, createDevice, splitSupport } from '/sdk/starling.js';
import { readExamples, rowOf } from './examples-data.js';
import { syntheticMotion } from './synthetic-motion.js';

const element = (id) => document.getElementById(id);
const query = new URL(location.href).searchParams;
const statusText = {
  stopped: 'Not taking part',
  waiting: 'Another tab of this browser takes part; this one waits',
  connecting: 'Connecting…',
  online: 'Online, waiting for a round',
  polling: 'Online without a live connection, asking now and then',
  training: 'Training on your data, here',
  uploading: 'Sending the model update',
};
const contributionText = {
  statistics: 'Measured the scale of its inputs',
  training: 'Trained',
  evaluation: 'Judged the model',
};
/** After these errors the device has stopped; from others it recovers by itself. */
const finalErrors = ['device-revoked', 'enrolment-refused'];

let data;
let device;
let rounds = 0;

function newDevice() {
  const made = createDevice({
    server: element('server').value,
    enrolmentToken: element('token').value,
    labels: { platform: 'web' },
    examples: async () => data.examples,
    host: browserHost(),
  });
  made.on('status', showStatus);
  made.on('contributed', ({ roundNumber, kind }) => {
    rounds++;
    showContribution(`${contributionText[kind]} (round ${roundNumber})`);
  });
  made.on('error', (error) => {
    showError(error);
    if (finalErrors.includes(error.code)) device = undefined;
  });
  return made;
}

async function join() {
  await device?.stop();
  showError(undefined);
  device = newDevice();
  await device.start();
  allow();
}

async function leave() {
  await device?.stop();
  device = undefined;
  allow();
}

/** Adapts to the support half, judges on the query half, before and after. */
async function personalise() {
  showError(undefined);
  element('personalise').disabled = true;
  try {
    device ??= newDevice();
    const { support, query: unseen } = splitSupport(data.examples, data.classes.length, 0.5);
    const personal = await device.personalise(element('task').value.trim(), support);
    showComparison(personal.judgeShared(unseen), personal.judge(unseen), personal.steps);
    element('predict').onclick = () => showPrediction(personal, unseen);
    showPrediction(personal, unseen);
    element('personal').hidden = false;
  } catch (error) {
    showError(error);
  } finally {
    showUsage();
    allow();
  }
}

function showStatus(status) {
  element('status').textContent = statusText[status];
  element('status').dataset.status = status;
  element('dot').dataset.status = status;
  element('device-id').textContent = device?.deviceId ?? 'not enrolled yet';
  if (status === 'online') showError(undefined);
  showUsage();
  allow();
}

function showContribution(text) {
  element('rounds').textContent = String(rounds);
  const item = document.createElement('li');
  item.textContent = `${text}, ${new Date().toLocaleTimeString()}`;
  element('history').prepend(item);
  while (element('history').children.length > 5) element('history').lastElementChild.remove();
  showUsage();
}

function showUsage() {
  if (!device) return;
  element('bytes-up').textContent = readableBytes(device.usage.bytesUp);
  element('bytes-down').textContent = readableBytes(device.usage.bytesDown);
}

function showComparison(before, after, steps) {
  element('steps').textContent = `${steps} ${steps === 1 ? 'step' : 'steps'} of adaptation`;
  for (const [name, { correct, count }] of Object.entries({ before, after })) {
    element(`meter-${name}`).value = correct / count;
    element(name).textContent = `${((100 * correct) / count).toFixed(1)} % (${correct} of ${count} rows)`;
  }
}

/** What the personal model makes of one row that it has not seen, drawn at random. */
function showPrediction(personal, unseen) {
  const row = Math.floor(Math.random() * unseen.count);
  const x = rowOf(unseen, data.shape, row);
  const actual = data.classes[unseen.y[row]];
  const [{ classIndex, probabilities }] = personal.predict(x);
  const looksLike = data.classes[classIndex] ?? `class ${classIndex}`;
  const percent = (100 * probabilities[classIndex]).toFixed(0);
  element('prediction').textContent =
    `A row that it has not seen, drawn above, looks like ${looksLike} (${percent} %); its label is ${actual}.`;
  showRow(x, actual);
}

function showData() {
  const { examples, shape, classes, synthetic } = data;
  element('data-summary').textContent = synthetic
    ? `${examples.count} generated rows of [${shape.join(', ')}], ${classes.length} classes. Synthetic wrist motion: nobody was measured.`
    : `${examples.count} rows of [${shape.join(', ')}], ${classes.length} classes.`;
  element('synthetic').hidden = !synthetic;
  element('personal').hidden = true;
  showRow(rowOf(examples, shape, 0), classes[examples.y[0]]);
}

/** Draws a row: up to three channels of a window, or the values of a vector. */
function showRow(values, name) {
  const channels = data.shape.length > 1 ? data.shape.at(-1) : 1;
  const drawn = Array.from({ length: Math.min(3, channels) }, (_, channel) =>
    values.filter((_value, i) => i % channels === channel),
  );
  const least = Math.min(...drawn.map((line) => Math.min(...line)));
  const most = Math.max(...drawn.map((line) => Math.max(...line)));
  const lines = drawn.map((channel, index) => {
    const line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
    const points = Array.from(channel, (value, i) => {
      const height = (value - least) / (most - least || 1);
      return `${((300 * i) / Math.max(1, channel.length - 1)).toFixed(1)},${(85 - 80 * height).toFixed(1)}`;
    });
    line.setAttribute('points', points.join(' '));
    line.setAttribute('class', `trace-${index + 1}`);
    return line;
  });
  element('preview').replaceChildren(...lines);
  element('preview').setAttribute('aria-label', `A row of the data: ${name}`);
  element('preview').removeAttribute('hidden');
}

function showError(error) {
  element('error').hidden = !error;
  element('error').textContent = error ? `${error.message} (${error.code ?? error.name})` : '';
}

/** Which buttons make sense now. */
function allow() {
  const isTakingPart = device !== undefined && device.state !== 'stopped';
  element('join').disabled = isTakingPart || !data;
  element('stop').disabled = !isTakingPart;
  element('personalise').disabled =
    !data || element('task').value.trim() === '' || element('token').value === '';
}

function readableBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The examples that the address names, or those of a made-up person who is the same at every visit. */
async function firstData() {
  const address = query.get('data');
  if (address !== null) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`The data at ${address} could not be fetched: status ${answer.status}.`);
    return readExamples(await answer.json());
  }
  const kept = Number(localStorage.getItem('starling-example-person'));
  const person = kept || crypto.getRandomValues(new Uint32Array(1))[0];
  localStorage.setItem('starling-example-person', String(person));
  return readExamples(syntheticMotion(person));
}

async function useFile([file]) {
  if (!file) return;
  try {
    data = readExamples(JSON.parse(await file.text()));
    showError(undefined);
    showData();
    allow();
  } catch (error) {
    showError(new Error(`${file.name} cannot be used. ${error.message}`));
  }
}

element('server').value = query.get('server') ?? location.origin;
element('token').value = query.get('token') ?? '';
element('task').value = query.get('task') ?? '';
element('join-form').addEventListener('submit', (event) => {
  event.preventDefault();
  void join();
});
element('join-form').addEventListener('input', allow);
element('stop').addEventListener('click', () => void leave());
element('personalise').addEventListener('click', () => void personalise());
element('file').addEventListener('change', (event) => void useFile(event.target.files));

try {
  data = await firstData();
  showData();
  allow();
  if (query.has('server') && query.has('token')) await join();
} catch (error) {
  element('data-summary').textContent = 'No data.';
  showError(error);
  allow();
}
