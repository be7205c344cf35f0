/* The SDK has platform declarations here; this project's C needs none of them. */
