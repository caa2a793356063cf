import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedAwsHeaders } from './aws-signature.ts';

/** The credentials and the time of AWS's test suite for Signature Version 4. */
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', sessionToken: undefined };
const SCOPE = { region: 'us-east-1', service: 'service', nowMs: Date.UTC(2015, 7, 30, 12, 36, 0) };
const HOST = 'example.amazonaws.com';
const PREFIX = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ';

test('the signatures of AWS’s own test vectors come out', () => {
  const get = signedAwsHeaders({ method: 'GET', host: HOST, headers: {}, body: '' }, CREDENTIALS, SCOPE);
  assert.deepEqual(get, {
    'X-Amz-Date': '20150830T123600Z',
    Authorization: `${PREFIX}SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31`,
  });
  const post = signedAwsHeaders({ method: 'POST', host: HOST, headers: {}, body: '' }, CREDENTIALS, SCOPE);
  assert.equal(
    post.Authorization,
    `${PREFIX}SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b`,
  );
  const form = { method: 'POST', host: HOST, headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'Param1=value1' };
  assert.equal(
    signedAwsHeaders(form, CREDENTIALS, SCOPE).Authorization,
    `${PREFIX}SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a`,
  );
});

test('a session’s token is sent and signed', () => {
  const request = { method: 'GET', host: HOST, headers: {}, body: '' };
  const signed = signedAwsHeaders(request, { ...CREDENTIALS, sessionToken: 'token' }, SCOPE);
  assert.equal(signed['X-Amz-Security-Token'], 'token');
  assert.match(signed.Authorization ?? '', /SignedHeaders=host;x-amz-date;x-amz-security-token, /);
});
