import type { ProblemError } from '@starling/protocol';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { answerError, sendError } from './errors.ts';
import { stylePolicy, text } from './html.ts';

interface Words {
  title: string;
  again: string;
  back: string;
  code: string;
  /** What to do, by the code of the problem. */
  advice: Record<string, string>;
  other: string;
}

/** A browser that comes back from the provider shows what it gets: the words are the console's, the languages too. */
const languages = {
  en: {
    title: 'You are not signed in',
    again: 'Sign in again',
    back: 'To the console',
    code: 'Code',
    advice: {
      'sign-in-failed':
        'Begin again from the console, in this browser, and finish within ten minutes. If it fails again, tell the operator of this server the code below.',
      'sign-in-refused':
        'The provider knows you, and this server does not let you in. Ask an admin of your project for an invitation to this e-mail address, and see that the provider has verified it.',
      'rate-limited': 'There were too many attempts from this address. Wait a minute, then begin again.',
      unavailable: 'The provider or the database does not answer. Wait a moment, then begin again.',
    },
    other: 'The server failed. Begin again; if it fails again, tell the operator the code below.',
  },
  zh: {
    title: '未能登录',
    again: '重新登录',
    back: '返回控制台',
    code: '代码',
    advice: {
      'sign-in-failed':
        '请在此浏览器中从控制台重新开始，并在十分钟内完成。若再次失败，请把下面的代码告知服务器运营者。',
      'sign-in-refused':
        '身份提供方认识您，但本服务器未允许您进入。请项目管理员邀请此邮箱地址，并确认身份提供方已验证该邮箱。',
      'rate-limited': '来自此地址的尝试过多。请稍等一分钟，再重新开始。',
      unavailable: '身份提供方或数据库没有响应。请稍候，再重新开始。',
    },
    other: '服务器出错。请重新开始；若再次失败，请把下面的代码告知运营者。',
  },
} as const satisfies Record<string, Words>;

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', sans-serif;
  --body: #f6f8f8; --surface: #fff; --line: #dfe5e4; --dimmed: #586564; --filled: #006b56; --on-filled: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --body: #101615; --surface: #18201f; --line: #2b3635; --dimmed: #9fb0ae; --filled: #3cc6a3; --on-filled: #000; }
}
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--body); }
main { width: min(100% - 2rem, 400px); }
.name { font-weight: 700; font-size: 1.25rem; }
.surface { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 2rem; }
h1 { font-size: 1.5rem; font-weight: 650; margin: 0 0 .5rem; }
.said, .code { color: var(--dimmed); font-size: .875rem; overflow-wrap: anywhere; }
a { display: block; text-align: center; padding: .5rem; margin-top: .75rem; border-radius: 8px; border: 1px solid var(--line); color: inherit; text-decoration: none; }
a.first { background: var(--filled); color: var(--on-filled); border-color: var(--filled); font-weight: 600; }
a:focus-visible { outline: 2px solid var(--filled); outline-offset: 2px; }
`;

const policy = stylePolicy(style);

/** Answers a browser whose sign-in failed with a page that says what to do, and anything else as usual. */
export function sendSignInFailure(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  if (!(request.headers.accept ?? '').includes('text/html')) {
    sendError(error, request, reply);
    return;
  }
  const page = failurePage(answerError(error, request, reply), request.headers['accept-language'] ?? '');
  void reply.type('text/html; charset=utf-8').header('content-security-policy', policy).send(page);
}

function failurePage({ code, message }: ProblemError, accepted: string): string {
  const language = languageOf(accepted);
  const words: Words = languages[language];
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${text(words.title)} · Starling</title><style>${style}</style></head>
<body><main><p class="name">Starling</p><div class="surface"><h1>${text(words.title)}</h1>
<p>${text(words.advice[code] ?? words.other)}</p>
<p class="said" lang="en">${text(message)}</p>
<a class="first" href="/v1/session/oidc/start">${text(words.again)}</a><a href="/console/">${text(words.back)}</a>
<p class="code">${text(words.code)}: <code>${text(code)}</code></p></div></main></body></html>
`;
}

/** The one of our languages that the browser likes best (RFC 9110, section 12.5.4). */
function languageOf(accepted: string): keyof typeof languages {
  const liked = accepted
    .split(',')
    .map((part) => {
      const [name = '', weight] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/);
      return { name: name.split('-')[0], weight: weight === undefined ? 1 : Number(weight) };
    })
    .sort((a, b) => b.weight - a.weight)
    .find(({ name }) => name === 'en' || name === 'zh');
  return liked?.name === 'zh' ? 'zh' : 'en';
}
