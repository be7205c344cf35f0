/* Modules: a program is one file, an archive of ES modules made by archive.ts. It has, line by line, the number of modules;
   then for each its name, the number of its imports, the length of its source; its imports as specifier and name of what
   it stands for; and the source. The last module is the entry. */

#include "host.h"

typedef struct {
	const char *specifier;
	const char *name;
} Import;

typedef struct {
	const char *name;
	Import *imports;
	int importCount;
	char *source;
	size_t size;
} Module;

static Module *modules = NULL;
static int moduleCount = 0;

/* Ends the text up to `end` and answers it; moves behind it. */
static char *takeUntil(char **at, char end)
{
	char *start = *at;
	char *stop = strchr(start, end);
	if (stop == NULL) {
		printf("@failed \"the archive of modules is cut off\"\n");
		exit(2);
	}
	*stop = 0;
	*at = stop + 1;
	return start;
}

void loadArchive(const char *path)
{
	size_t size;
	char *at = readWholeFile(path, &size);
	moduleCount = atoi(takeUntil(&at, '\n'));
	modules = calloc((size_t)moduleCount, sizeof(Module));
	for (int i = 0; i < moduleCount; i++) {
		Module *module = &modules[i];
		module->name = takeUntil(&at, ' ');
		module->importCount = atoi(takeUntil(&at, ' '));
		module->size = (size_t)atol(takeUntil(&at, '\n'));
		module->imports = calloc((size_t)module->importCount + 1, sizeof(Import));
		for (int j = 0; j < module->importCount; j++) {
			module->imports[j].specifier = takeUntil(&at, ' ');
			module->imports[j].name = takeUntil(&at, '\n');
		}
		module->source = at;
		at += module->size;
		takeUntil(&at, '\n');
	}
}

const char *entryModule(void)
{
	return modules[moduleCount - 1].name;
}

static Module *moduleNamed(const char *name)
{
	for (int i = 0; i < moduleCount; i++)
		if (strcmp(modules[i].name, name) == 0)
			return &modules[i];
	return NULL;
}

/* The module that a specifier means in the module that imports it. The host itself asks by name. */
txID fxFindModule(txMachine *the, txSlot *realm, txID importerID, txSlot *slot)
{
	(void)realm;
	char specifier[C_PATH_MAX];
	fxToStringBuffer(the, slot, specifier, sizeof(specifier));
	if (importerID == XS_NO_ID)
		return moduleNamed(specifier) == NULL ? XS_NO_ID : fxNewNameC(the, specifier);
	Module *importer = moduleNamed(fxGetKeyName(the, importerID));
	for (int i = 0; importer != NULL && i < importer->importCount; i++)
		if (strcmp(importer->imports[i].specifier, specifier) == 0)
			return fxNewNameC(the, (txString)importer->imports[i].name);
	return XS_NO_ID;
}

void fxLoadModule(txMachine *the, txSlot *slot, txID moduleID)
{
	Module *module = moduleNamed(fxGetKeyName(the, moduleID));
	if (module == NULL)
		return;
	txStringCStream stream;
	stream.buffer = module->source;
	stream.offset = 0;
	stream.size = (txSize)module->size;
	txScript *script = fxParseScript(the, &stream, fxStringCGetter, 0);
	if (script == NULL)
		mxUnknownError("module %s cannot be parsed", module->name);
	fxResolveModule(the, slot, moduleID, script, C_NULL, C_NULL);
}
