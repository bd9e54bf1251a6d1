export declare function findBrowser(): string | undefined;
export declare const quietFlags: string[];
export declare const quietFlagsWithoutGpu: string[];
