// When this code was built: no correct clock shows an earlier time. The build puts the figure in; run from source, it is
// the day of the format's first release.

declare const MPCP_BUILD_TIME_MS: number | undefined;

/** Milliseconds since 1970-01-01 UTC. */
export const BUILD_TIME_MS: number = typeof MPCP_BUILD_TIME_MS === 'number' ? MPCP_BUILD_TIME_MS : 1_767_225_600_000;
