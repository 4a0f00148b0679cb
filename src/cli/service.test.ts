import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { unquoteUnit } from "../../test/support/service-files.ts";
import { launchdPlist } from "./launchd-plist.ts";
import { serviceName } from "./service.ts";
import { systemdUnit } from "./systemd-unit.ts";
import { schedulerLine } from "./task-scheduler.ts";

test("a service's name is readable, and no other folder's", () => {
  assert.match(serviceName("/home/u/My Träume (1)"), /^dsync-My-Tra-ume-1-[0-9a-f]{8}$/);
  assert.match(serviceName("/"), /^dsync-[0-9a-f]{8}$/);
  assert.notEqual(serviceName("/a/shared"), serviceName("/b/shared"));
  assert.equal(serviceName("/a/shared"), serviceName("/a/shared"));
});

test("systemd reads back each word of the command and each variable as it was, whatever is in it", () => {
  const word = fc.string({ unit: fc.constantFrom(...Array.from("ab%$\"'\\ ;{}\n\t#é=")) });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), word, (words, value) => {
      const command = ["/usr/bin/node", ...words];
      const unit = systemdUnit({ folder: "/f", command, environment: { XDG_STATE_HOME: value } });
      const line = (name: string): string =>
        unit
          .split("\n")
          .find((each) => each.startsWith(`${name}=`))
          ?.slice(name.length + 1) ?? "";
      assert.deepEqual(unquoteUnit(line("ExecStart")), command);
      assert.deepEqual(unquoteUnit(line("Environment").replaceAll("$", () => "$$")), [`XDG_STATE_HOME=${value}`]);
    }),
  );
});

test("no folder's name adds a line to the unit", () => {
  const unit = systemdUnit({ folder: "/f\nExecStart=/bin/evil %h", command: ["/n"], environment: {} });
  assert.equal(unit.split("\n").filter((line) => line.startsWith("ExecStart=")).length, 1);
  assert.ok(unit.includes(String.raw`Description=dsync of /f\\x0aExecStart=/bin/evil %%h`));
});

test("a property list holds texts with everything that XML gives a meaning to", () => {
  const command = ["/n", "--share=<a&b>", "x\u0001"];
  const plist = launchdPlist({ folder: "/f", command, environment: {}, label: "l", logFile: "/log" });
  assert.match(plist, /<array>\n<string>\/n<\/string>\n<string>--share=&lt;a&amp;b&gt;<\/string>\n<string>x\ufffd</);
  assert.match(plist, /<key>EnvironmentVariables<\/key><dict\/>/);
});

test("a line for the task scheduler quotes what has spaces", () => {
  assert.equal(
    schedulerLine("dsync-f", [String.raw`C:\Program Files\node.exe`, String.raw`C:\d\main.js`]),
    String.raw`schtasks /Create /F /SC ONLOGON /TN "dsync-f" /TR "\"C:\Program Files\node.exe\" C:\d\main.js"`,
  );
});
