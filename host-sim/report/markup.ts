// HTML that is put together from text nobody vouches for: whatever is put in is escaped, unless it was made here.

/** HTML as it is to be written. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** Takes text as HTML: for what this program has written itself. */
  static trusted(text: string): Markup {
    return new Markup(text);
  }
}

/** What may be put into HTML; nothing is written for undefined and false. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

/** HTML with what is put into it: text and numbers escaped, in elements and in attributes with double quotes; markup as it is. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  const written = contents.map(writtenOf);
  return Markup.trusted(parts.map((part, i) => part + (written[i] ?? '')).join(''));
}

const ESCAPES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What no HTML may hold, and what would turn the reading direction of the text around it. */
const UNSEEN = /[^\P{Cc}\t\n]|\p{Bidi_Control}/gu;

/** Text that is nothing but text, in an element or in an attribute. What nobody sees is shown as U+FFFD. */
export function escaped(text: string): string {
  return text.replace(UNSEEN, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

function writtenOf(content: Content): string {
  if (content === undefined || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'string') return escaped(content);
  if (typeof content === 'number') return String(content);
  return content.map(writtenOf).join('');
}
