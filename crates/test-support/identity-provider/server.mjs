// An OpenID provider for tests: https://github.com/panva/node-oidc-provider with its development pages, on which any
// login is good. Arguments: port, JSON file with settings. Accounts are read from that file whenever they are asked for;
// keys are made anew at every start.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const [port, file] = process.argv.slice(2);
const settings = () => JSON.parse(readFileSync(file, 'utf8'));
const { client, claims_in_token: inToken } = settings();

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client],
  jwks: { keys: [{ ...key, kid: `key-${Date.now()}`, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['only for tests'] },
  conformIdTokenClaims: !inToken,
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  async findAccount(_, id) {
    const account = settings().accounts[id];
    return account && { accountId: id, claims: async () => ({ sub: id, ...account }) };
  },
});
provider.on('server_error', (_, error) => console.error(error));
provider.listen(Number(port), '127.0.0.1');
