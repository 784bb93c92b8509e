// SPDX-License-Identifier: Apache-2.0
// For working on the front end: node serve_mock.mjs WEB_ROOT, then sign in as manager, stock, it or admin.

import { MockApi } from './mock_api.mjs';

const mock = new MockApi({ webRoot: process.argv[2], stepMs: 500 });
console.log(`${await mock.listen()} password: correct horse`);
