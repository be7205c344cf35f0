/* Modules: a program is one file, an archive of ES modules made by archive.ts. It has, line by line, the number of modules;
   then for each its name, the number of its imports, the length of its source; its imports as specifier and name of what
   it stands for; and the source. Parts of a line have tabs between them. The last module is the entry. */

#include "host.h"

typedef struct {
	const char *specifier;
	const char *name;
} Import;

typedef struct {
	const char *name;
	Import *imports;
	size_t importCount;
	char *source;
	size_t size;
} Module;

static Module *modules = NULL;
static size_t moduleCount = 0;

/* What is left of the archive while it is read. */
typedef struct {
	char *at;
	char *end;
	const char *path;
} Rest;

static size_t bytesLeft(const Rest *rest)
{
	return (size_t)(rest->end - rest->at);
}

static XS_FUNCTION_NORETURN void refuse(const Rest *rest, const char *why)
{
	failRun("the archive of modules %s is damaged: %s, %lu bytes before its end", rest->path, why,
		(unsigned long)bytesLeft(rest));
}

/* Ends the text up to `stop` and answers it; moves behind it. */
static char *takeUntil(Rest *rest, char stop)
{
	char *start = rest->at;
	char *found = memchr(start, stop, bytesLeft(rest));
	if (found == NULL)
		refuse(rest, "it is cut off");
	*found = 0;
	rest->at = found + 1;
	return start;
}

/* Digits up to `stop`: what is counted takes at least `each` bytes of what is left. */
static size_t takeCount(Rest *rest, char stop, size_t each)
{
	const char *digits = takeUntil(rest, stop);
	size_t count = 0;
	for (const char *at = digits; *at != 0 || at == digits; at++) {
		if (*at < '0' || *at > '9')
			refuse(rest, "a number is expected");
		count = 10 * count + (size_t)(*at - '0');
		if (count > bytesLeft(rest) / each)
			refuse(rest, "it counts more than there is");
	}
	return count;
}

static void *zeroed(const Rest *rest, size_t count, size_t size)
{
	void *address = calloc(count + 1, size);
	if (address == NULL)
		refuse(rest, "it takes more memory than there is");
	return address;
}

void loadArchive(const char *path)
{
	const char *problem;
	size_t size;
	Rest rest = {.path = path};
	rest.at = readWholeFile(path, &size, &problem);
	if (rest.at == NULL)
		failRun("the archive of modules %s cannot be read: %s", path, problem);
	rest.end = rest.at + size;
	/* Two tabs and two line breaks at least; of an import a tab and a line break. */
	moduleCount = takeCount(&rest, '\n', 4);
	if (moduleCount == 0)
		refuse(&rest, "it has no modules");
	modules = zeroed(&rest, moduleCount, sizeof(Module));
	for (size_t i = 0; i < moduleCount; i++) {
		Module *module = &modules[i];
		module->name = takeUntil(&rest, '\t');
		module->importCount = takeCount(&rest, '\t', 2);
		module->size = takeCount(&rest, '\n', 1);
		module->imports = zeroed(&rest, module->importCount, sizeof(Import));
		for (size_t j = 0; j < module->importCount; j++) {
			module->imports[j].specifier = takeUntil(&rest, '\t');
			module->imports[j].name = takeUntil(&rest, '\n');
		}
		if (module->size >= bytesLeft(&rest))
			refuse(&rest, "it is cut off");
		module->source = rest.at;
		rest.at += module->size;
		if (*rest.at != '\n')
			refuse(&rest, "a source is longer or shorter than it says");
		*rest.at++ = 0;
	}
	if (bytesLeft(&rest) != 0)
		refuse(&rest, "something follows its last module");
}

const char *entryModule(void)
{
	return modules[moduleCount - 1].name;
}

static Module *moduleNamed(const char *name)
{
	for (size_t i = 0; i < moduleCount; i++)
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
	for (size_t i = 0; importer != NULL && i < importer->importCount; i++)
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
