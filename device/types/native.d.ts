// C functions from JavaScript. The SDK's compiler knows this form alone: a function whose body is one `return`, of a call with the
// function's own parameters. Mirrors fxCheckNativeFunction in xs/sources/xsSyntaxical.c of the Moddable SDK 8.2.

/** @param name the C function's; text that is written out */
declare function native(name: string): (this: unknown, ...parameters: unknown[]) => unknown;

/** True in a build for boards that have the project's C code (`tools/build/device-modules.ts`). */
declare const MPCP_NATIVE: boolean;

/** Text for the debugger, or nowhere in a release build. Mirrors xs/includes/xs.d.ts. */
declare function trace(text: string): void;
