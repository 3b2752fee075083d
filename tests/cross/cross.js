// cross - webhooks signed by the providers' own Node packages, and our requests signed again by them
//
//   node cross.js sign            -> {PROVIDER: [vector ...]}: calls that our adapters must take, and forged twins
//   node cross.js check FILE...   tests/vectors files: every request of ours that is signed must have the signature that
//                                 the provider's package gives it. Prints how many; exit code 1 when one differs.
// Runs in a folder with node_modules (tests/cross/cross_check.py makes it). Telnyx has no helper: node:crypto signs.
"use strict";
const crypto = require("node:crypto");
const fs = require("node:fs");
const twilio = require("twilio");
const { Webhook } = require("standardwebhooks");
const aliyun = require("@alicloud/openapi-util").default;
const tencent = require("tencentcloud-sdk-nodejs-common/tencentcloud/common/sign").default;
const { AKSKSigner } = require("@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner");

const NOW = 1764041000;
const URL_BASE = "https://hotline.example/hook/";
const FROM = "+8610000000001", TO = "+8610000009999", TEXT = "锦绣花园3号楼 & 100%, it's + (urgent)*!";
const FORM = "application/x-www-form-urlencoded", JSON_TYPE = "application/json";
const version = (name) => `${name} ${JSON.parse(fs.readFileSync(`node_modules/${name}/package.json`)).version} (Node)`;

function vector(name, source, request, message) {
	return { name: `cross: ${name}`, kind: message ? "inbound_ok" : "bad_signature", source, now: NOW, request,
		...(message ? { messages: [message] } : { verdict: "forged" }) };
}

// The call, and the same one with another letter in its body.
function twins(name, source, request, message) {
	const forged = { ...request, body: request.body.replace("urgent", "urgend") };
	return [vector(name, source, request, message), vector(`${name}, changed`, source, forged)];
}

function signTwilio() {
	const fields = { MessageSid: "SMcross1", From: FROM, To: TO, Body: TEXT, NumMedia: "0" };
	const secret = "demo-auth-token-0123456789abcdef";
	const signature = twilio.getExpectedTwilioSignature(secret, URL_BASE + "twilio", fields);

	return twins("a form", version("twilio"), { method: "POST", body: new URLSearchParams(fields).toString(),
		headers: { "Content-Type": FORM, "X-Twilio-Signature": signature } },
	{ external_id: "SMcross1", from: FROM, to: TO, text: TEXT });
}

function signStandard(file) {
	const body = JSON.stringify({ type: "message.received", data: { id: "w-cross-1", from: FROM, to: TO, text: TEXT } });
	const signature = new Webhook(file.channel.secrets[0]).sign("msg_cross1", new Date(NOW * 1000), body);

	return twins("an event", version("standardwebhooks"), { method: "POST", body, headers: { "Content-Type": JSON_TYPE,
		"webhook-id": "msg_cross1", "webhook-timestamp": String(NOW), "webhook-signature": signature } },
	{ external_id: "w-cross-1", from: FROM, to: TO, text: TEXT });
}

function signTelnyx() {
	// RFC 8032, test 1, whose public half is the channel's key.
	const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
	const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
	const key = crypto.createPrivateKey({ key: der, format: "der", type: "pkcs8" });
	const body = JSON.stringify({ data: { id: "t-cross-1", event_type: "message.received", payload: {
		from: { phone_number: FROM }, to: [{ phone_number: TO }], text: TEXT } } });
	const signature = crypto.sign(null, Buffer.from(`${NOW}|${body}`), key).toString("base64");

	return twins("an event", "node:crypto, Ed25519", { method: "POST", body, headers: { "Content-Type": JSON_TYPE,
		"telnyx-timestamp": String(NOW), "telnyx-signature-ed25519": signature } },
	{ external_id: "t-cross-1", from: FROM, to: TO, text: TEXT });
}

const header = (v, name) => Object.entries(v.built.headers).find(([key]) => key.toLowerCase() === name)?.[1];

// Each gives the Authorization (or what stands for it) that the package makes of our request; undefined: not signed.
const CHECKS = {
	aliyun(v, channel) {
		const url = new URL(v.built.url), headers = {};

		headers.host = url.host;
		for (const [key, value] of Object.entries(v.built.headers))
			if (key.toLowerCase().startsWith("x-acs-"))
				headers[key] = value;
		return [header(v, "authorization"), aliyun.getAuthorization({ method: "POST", pathname: "/", headers,
			query: Object.fromEntries(url.searchParams) }, "ACS3-HMAC-SHA256", header(v, "x-acs-content-sha256"),
		channel.username, channel.password)];
	},
	tencent(v, channel) {
		return [header(v, "authorization"), tencent.sign3({ method: "POST", url: channel.send_url + "/",
			payload: Buffer.from(v.built.body), timestamp: Number(header(v, "x-tc-timestamp")), service: "sms",
			secretId: channel.username, secretKey: channel.password,
			headers: { "Content-Type": header(v, "content-type") } })];
	},
	huawei(v, channel) {
		const date = header(v, "x-sdk-date"), url = new URL(channel.send_url);
		const headers = { "content-type": header(v, "content-type"), host: url.host, "x-sdk-date": date };

		if (!date)
			return undefined;
		const request = AKSKSigner.buildCanonicalRequest("POST", AKSKSigner.CanonicalURI(url.pathname), "",
			AKSKSigner.buildCanonicalHeaders(headers), "content-type;host;x-sdk-date", AKSKSigner.Hex(v.built.body));
		const text = AKSKSigner.getStringToSign("SDK-HMAC-SHA256", date, AKSKSigner.Hex(request));

		return [header(v, "authorization"), `SDK-HMAC-SHA256 Access=${channel.username}, SignedHeaders=content-type;host;x-sdk-date, `
			+ `Signature=${AKSKSigner.hmacSHA256(channel.password, text)}`];
	},
	standard(v, channel) {
		const stamp = new Date(Number(header(v, "webhook-timestamp")) * 1000);

		// A vector that shows its body as a value does not show the bytes that were signed.
		if (v.built.body === undefined)
			return undefined;
		return [header(v, "webhook-signature"), channel.secrets.map((secret) =>
			new Webhook(secret).sign(header(v, "webhook-id"), stamp, v.built.body)).join(" ")];
	},
};

function checkFile(path) {
	const name = path.replace(/.*\/|\.json$/g, ""), file = JSON.parse(fs.readFileSync(path));
	let n = 0, bad = 0;

	for (const v of file.vectors.filter((one) => one.built && CHECKS[name])) {
		const pair = CHECKS[name](v, { ...file.channel, ...v.channel });

		if (!pair)
			continue;
		n++;
		if (pair[0] !== pair[1]) {
			bad++;
			console.log(`${name}: ${v.name}: ours ${pair[0]}\n${name}: ${v.name}: theirs ${pair[1]}`);
		}
	}
	console.log(`${name}: ${n} signed requests checked, ${bad} differ`);
	return bad + (CHECKS[name] && n === 0);
}

const [verb, ...files] = process.argv.slice(2);
if (verb === "sign")
	console.log(JSON.stringify({ twilio: signTwilio(), standard: signStandard(JSON.parse(fs.readFileSync(files[0]))),
		telnyx: signTelnyx() }));
else
	process.exitCode = files.map(checkFile).reduce((sum, bad) => sum + bad, 0) ? 1 : 0;
