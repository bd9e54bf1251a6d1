export { DataFetchError, type DataFetchErrorCode } from './data-fetch-error.ts';
export {
  encodePack,
  type EncodedPack,
  type NewArray,
  type NewUser,
  type PackContents,
} from './encode-pack.ts';
export { classesOf, examplesOf, inputShape, type Examples, type FeatureChoice } from './examples.ts';
export { openPack, Pack, packFrom } from './fedpack.ts';
export { fetchUciHar, uciHarUrl, type FetchUciHarOptions } from './fetch-uci-har.ts';
export { DataNotFound, downloadDirectory, findPack, type DataSearch } from './find-data.ts';
export { modelFor, type ModelJson } from './model-for.ts';
export { PackError, type PackErrorCode } from './pack-error.ts';
export type { Dtype, PackArray, PackUser } from './pack-index.ts';
export { partition, partitionByPacks, type Partition } from './partition.ts';
export { syntheticWrist, type SyntheticOptions } from './synthetic.ts';
export type { UciHarFacts } from './uci-har.ts';
export { writeFedpack } from './write-fedpack.ts';
