/** Softmax regression by full-batch gradient descent: the plainest model that can show what data is worth. */
export class SoftmaxRegression {
  readonly #weights: Float64Array[];

  private constructor(weights: Float64Array[]) {
    this.#weights = weights;
  }

  static untrained(features: number, classes: number): SoftmaxRegression {
    return new SoftmaxRegression(Array.from({ length: classes }, () => new Float64Array(features)));
  }

  copy(): SoftmaxRegression {
    return new SoftmaxRegression(this.#weights.map((row) => row.slice()));
  }

  fit(x: readonly number[][], y: readonly number[], steps: number, rate: number): this {
    for (let step = 0; step < steps; step++) {
      const change = this.#weights.map((row) => new Float64Array(row.length));
      x.forEach((row, n) => {
        const scores = this.#scores(row);
        const largest = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - largest));
        const total = shares.reduce((sum, share) => sum + share, 0);
        shares.forEach((share, k) => {
          const error = (share / total - (y[n] === k ? 1 : 0)) / x.length;
          for (let i = 0; i < row.length; i++) change[k]![i]! += error * row[i]!;
        });
      });
      this.#weights.forEach((weights, k) => {
        for (let i = 0; i < weights.length; i++) weights[i]! -= rate * change[k]![i]!;
      });
    }
    return this;
  }

  accuracy(x: readonly number[][], y: readonly number[]): number {
    const hits = x.filter((row, n) => {
      const scores = this.#scores(row);
      return scores.indexOf(Math.max(...scores)) === y[n];
    });
    return hits.length / x.length;
  }

  #scores(row: readonly number[]): number[] {
    return this.#weights.map((weights) => row.reduce((sum, value, i) => sum + value * weights[i]!, 0));
  }
}
