/* Lines on stdout, which the runner reads: each begins with a mark that says whose it is, and what a program wrote is in it as a
   JSON string, without line breaks of its own. So no text of a program can pass for a line of the host. */

#include "host.h"

/* XS has begun a line of its own and not ended it. */
static bool isMidLine = false;

void beginLine(const char *mark)
{
	if (isMidLine)
		putchar('\n');
	isMidLine = false;
	printf("%s ", mark);
}

void failRun(const char *format, ...)
{
	char sentence[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	printJsonLine("@failed", sentence);
	fflush(stdout);
	exit(2);
}

void printJsonLine(const char *mark, const char *text)
{
	beginLine(mark);
	printJsonString(text);
	putchar('\n');
}

/* Of half a surrogate pair, which XS keeps in three bytes: its number. Else 0. */
static unsigned loneSurrogate(const unsigned char *at)
{
	if (at[0] != 0xED || at[1] < 0xA0 || at[1] > 0xBF || at[2] < 0x80 || at[2] > 0xBF)
		return 0;
	return 0xD000u | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
}

void printJsonString(const char *text)
{
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++) {
		unsigned half = loneSurrogate(at);
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < 0x20)
			printf("\\u%04x", *at);
		else if (half != 0) {
			printf("\\u%04x", half);
			at += 2;
		} else if (at[0] == 0xC0 && at[1] == 0x80) {
			/* XS's U+0000. */
			printf("\\u0000");
			at++;
		} else
			putchar(*at);
	}
	putchar('"');
}

static char text[512];

const char *engineSaid(void)
{
	text[strcspn(text, "\n")] = 0;
	return text;
}

int engineSaysList(const char *format, va_list arguments)
{
	int length = vsnprintf(text, sizeof(text), format, arguments);
	for (const char *at = text; *at != 0; at++) {
		if (!isMidLine)
			printf("# ");
		isMidLine = *at != '\n';
		putchar(*at == '\n' || (unsigned char)*at >= 0x20 ? *at : ' ');
	}
	return length;
}

int engineSays(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = engineSaysList(format, arguments);
	va_end(arguments);
	return length;
}
