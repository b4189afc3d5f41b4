// A login service for the tests: oidc-provider with rotation, proof keys and device codes, and a
// browser that agrees to everything. Prints the address that it listens on as its first line, and
// ends with its standard input.
//
//   GET /browser?to=ADDRESS    a person opens the address, logs in and agrees; answers with the
//                              address at which the browser ends
//   GET /type?code=CODE        a person types in a device's code and agrees
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const CLIENT = 'stundenbuch-client';
const server = createServer();
await new Promise((begun) => server.listen(0, '127.0.0.1', begun));
const base = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(base, {
  clients: [{
    client_id: CLIENT,
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['http://127.0.0.1/'],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code'],
  }],
  features: { devInteractions: { enabled: false }, deviceFlow: { enabled: true } },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  ttl: { AccessToken: 3600, RefreshToken: 86400 },
  cookies: { keys: ['not a secret: a test'] },
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: async (_, interaction) => `/interaction/${interaction.uid}` },
});

// The person: logs in as mara, and agrees to what is asked for.
async function agree(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  let result = { login: { accountId: 'mara' } };
  if (prompt.name === 'consent') {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

// A browser: keeps cookies and follows redirections, and stops where it leaves this service.
class Browser {
  cookies = new Map();

  async open(address, form) {
    for (;;) {
      if (!address.startsWith(base)) return { address, text: '' };
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(address, {
        method: form ? 'POST' : 'GET',
        headers: { cookie, ...form && { 'content-type': 'application/x-www-form-urlencoded' } },
        body: form && new URLSearchParams(form).toString(),
        redirect: 'manual',
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        this.cookies.set(name, value);
      }
      const next = answer.headers.get('location');
      if (!next) return { address, text: await answer.text(), status: answer.status };
      address = new URL(next, address).href;
      form = undefined;
    }
  }
}

async function type(code) {
  const browser = new Browser();
  const xsrf = (text) => /name="xsrf" value="([^"]+)"/.exec(text)[1];
  const first = await browser.open(`${base}/device`);
  const asked = await browser.open(`${base}/device`, { xsrf: xsrf(first.text), user_code: code });
  const confirm = { xsrf: xsrf(asked.text), user_code: code, confirm: 'yes' };
  return browser.open(`${base}/device`, confirm);
}

server.on('request', async (req, res) => {
  const url = new URL(req.url, base);
  try {
    if (url.pathname.startsWith('/interaction/')) return await agree(req, res);
    if (url.pathname === '/browser') {
      const end = await new Browser().open(url.searchParams.get('to'));
      return res.end(end.address);
    }
    if (url.pathname === '/type') {
      const end = await type(url.searchParams.get('code'));
      return res.writeHead(end.status).end(/<title>(.*)<\/title>/.exec(end.text)?.[1] ?? '');
    }
    return provider.callback()(req, res);
  } catch (error) {
    return res.writeHead(500).end(String(error.stack));
  }
});

process.stdin.resume().on('end', () => process.exit());
console.log(base);
