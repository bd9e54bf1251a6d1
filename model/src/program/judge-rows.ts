import { exp, sigmoid } from '../numeric.ts';
import type { Model } from '../ir/model.ts';
import type { MetricIr } from '../ir/schema.ts';
import { lossesPerRow } from './classifier.ts';
import type { Batch, Judgement } from './program.ts';

/** Adds up a judgement over passes. */
export class JudgementSum {
  readonly #model: Model;
  readonly #batch: Batch;
  #rows = 0;
  #loss = 0;
  #losses = 0;
  #correct = 0;
  #absolute = 0;
  #values = 0;
  readonly #among: Map<number, number>;
  /** By class: how often it was the label, was predicted, and both. */
  readonly #labelled: Float64Array;
  readonly #predicted: Float64Array;
  readonly #agreed: Float64Array;

  constructor(model: Model, batch: Batch) {
    this.#model = model;
    this.#batch = batch;
    this.#among = new Map(model.metrics.flatMap((metric) => (metric.kind === 'topK' ? [[metric.k, 0]] : [])));
    this.#labelled = new Float64Array(model.classes);
    this.#predicted = new Float64Array(model.classes);
    this.#agreed = new Float64Array(model.classes);
  }

  /** The next rows of the batch: what was predicted for each, and the losses. */
  add(prediction: Float32Array, losses: Float32Array, rows: number): void {
    const { labelKind, labelSize, classes } = this.#model;
    const { y, rows: order } = this.#batch;
    const perRow = lossesPerRow(this.#model);
    for (let i = 0; i < rows * perRow; i++) this.#loss += losses[i];
    this.#losses += rows * perRow;
    for (let i = 0; i < rows; i++, this.#rows++) {
      const row = order ? order[this.#rows] : this.#rows;
      for (let k = 0; k < labelSize; k++) {
        const label = y[row * labelSize + k];
        if (labelKind === 'class') this.#addClass(prediction, (i * labelSize + k) * classes, label);
        else this.#addValue(prediction[i * labelSize + k], label);
      }
    }
  }

  total(): Judgement {
    const classesPredicted = this.#predicted.filter((many) => many > 0).length;
    const areManyLabelled = this.#labelled.filter((many) => many > 0).length > 1;
    return {
      loss: this.#loss,
      correct: this.#correct,
      count: this.#losses,
      constantPredictor: classesPredicted === 1 && areManyLabelled,
      metrics: Object.fromEntries(
        this.#model.metrics.map((metric) => [metricName(metric), this.#metric(metric)]),
      ),
    };
  }

  #addClass(logits: Float32Array, from: number, label: number): void {
    const best = largestAt(logits, from, this.#model.classes);
    this.#labelled[label]++;
    this.#predicted[best]++;
    if (best === label && !Number.isNaN(logits[from + label])) {
      this.#agreed[label]++;
      this.#correct++;
    }
    for (const [k, found] of this.#among)
      if (ranksBelow(logits, from, this.#model.classes, label, k)) this.#among.set(k, found + 1);
  }

  #addValue(predicted: number, wanted: number): void {
    const found = this.#model.loss.op === 'binaryCrossEntropy' ? sigmoid(predicted) : predicted;
    this.#absolute += Math.abs(found - wanted);
    this.#values++;
  }

  #metric(metric: MetricIr): number {
    switch (metric.kind) {
      case 'accuracy':
        return this.#correct / this.#losses;
      case 'topK':
        return this.#among.get(metric.k)! / this.#losses; // the constructor made a place for every k
      case 'f1':
        return this.#macroF1();
      case 'meanAbsoluteError':
        return this.#absolute / this.#values;
      case 'perplexity':
        return exp(this.#loss / this.#losses);
    }
  }

  /** Mean over the classes that were labelled or predicted of 2 agreed / (labelled + predicted). */
  #macroF1(): number {
    let [sum, classes] = [0, 0];
    this.#labelled.forEach((labelled, c) => {
      const total = labelled + this.#predicted[c];
      if (total === 0) return;
      sum += (2 * this.#agreed[c]) / total;
      classes++;
    });
    return sum / classes;
  }
}

/** What a metric is called in a judgement: its kind, or `top5`. */
export function metricName(metric: MetricIr): string {
  return metric.kind === 'topK' ? `top${metric.k}` : metric.kind;
}

/** The first of equals. */
function largestAt(values: Float32Array, from: number, many: number): number {
  let best = 0;
  for (let i = 1; i < many; i++) if (values[from + i] > values[from + best]) best = i;
  return best;
}

/** Whether fewer than k entries stand before this one: greater, or equal and earlier. */
function ranksBelow(values: Float32Array, from: number, many: number, which: number, k: number): boolean {
  const own = values[from + which];
  if (Number.isNaN(own)) return false;
  let before = 0;
  for (let i = 0; i < many; i++)
    if (values[from + i] > own || (values[from + i] === own && i < which)) before++;
  return before < k;
}
