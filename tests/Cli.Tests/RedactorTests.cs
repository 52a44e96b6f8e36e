using System.Text.Json.Nodes;
using EgpuFleet.Cli.Evidence;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Cli.Tests;

/// <summary>What tells whose machine it is is planted in texts and in every field of a report, and must be gone.</summary>
public sealed class RedactorTests
{
    private static readonly HostSecrets Known = new(
        ["Annas-MacBook.local", "Annas-MacBook", "Anna’s MacBook"],
        ["annasmith"],
        [("/Users/annasmith", "~"), ("/opt/checkouts/fleet", "<egpufleet>")],
        ["C02XK0AAJG5H"]
    );

    private readonly Redactor redactor = new(Known);

    [Theory]
    [InlineData("Annas-MacBook", "on Annas-MacBook.local:4780", "on <host>:4780")]
    [InlineData("annas-macbook", "lower case annas-macbook too", "lower case <host> too")]
    [InlineData("Anna’s", "Anna’s MacBook", "<host>")]
    [InlineData("annasmith", "owner annasmith, group staff", "owner <user>, group staff")]
    [InlineData("annasmith", "/Users/annasmith/models/a.gguf", "~/models/a.gguf")]
    [InlineData("bob", "/Users/bob/x and /" + "home/bob", "/Users/<user>/x and /" + "home/<user>")]
    [InlineData("checkouts", "File \"/opt/checkouts/fleet/src/a.py\"", "File \"<egpufleet>/src/a.py\"")]
    [InlineData("C02XK0AAJG5H", "C02XK0AAJG5H", "<serial>")]
    [InlineData("9F3A21", "Serial Number: 9F3A21", "Serial Number: <serial>")]
    [InlineData("9F3A21", "\"serial-number\" = \"9F3A21\"", "\"serial-number\" = \"<serial>\"")]
    [InlineData("9F3A21", "serial=9F3A21", "serial=<serial>")]
    [InlineData("a4:83:e7", "en0 a4:83:e7:12:34:56 up", "en0 <mac> up")]
    [InlineData("A4-83-E7", "A4-83-E7-12-34-56", "<mac>")]
    [InlineData("05:ac:12", "05:ac:12:34:56:78:9a:bc", "<mac>")]
    [InlineData("192.168", "at 192.168.178.21:4780", "at <ip>:4780")]
    [InlineData("fe80", "fe80::1c2d:3e4f:5a6b:7c8d%en0 is up", "<ip> is up")]
    [InlineData("2001", "2001:db8:0:1:1:1:1:1", "<ip>")]
    [InlineData("2001", "from 2001:db8::1, later", "from <ip>, later")]
    [InlineData("4f2a", "GPU-4f2a9c1e-aaaa-bbbb-cccc-0123456789ab", "GPU-<uuid>")]
    [InlineData("4f2a", "4f2a9c1eaaaabbbbcccc0123456789ab", "<uuid>")]
    [InlineData("anna@", "mail anna@example.org", "mail <mail>")]
    [InlineData("zz9", "/private/var/folders/ab/zz9/T/efh1/w", "<tmp>")]
    public void What_tells_whose_it_is_is_gone(string secret, string text, string expected)
    {
        var clean = redactor.Clean(text);

        Assert.DoesNotContain(secret, clean, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(expected, clean);
    }

    [Theory]
    [InlineData("Radeon RX 7900 XTX (1002:744c) at 0000:03:00.0, x4 at 16 GT/s")]
    [InlineData("2026-11-23 14:03:27 UTC")]
    [InlineData("macOS 15.3.1, Python 3.11.2, driver 590.48.01, llama.cpp 3.21.1")]
    [InlineData("sha256 0f3a21bc9d0e4455, 16 GiB, 1.0.0/3")]
    [InlineData("sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    [InlineData("std::bad_alloc in ggml::backend")]
    [InlineData("a serial port is not in use")]
    [InlineData("root, user and admin are nobody")]
    public void What_is_evidence_stays(string text) => Assert.Equal(text, redactor.Clean(text));

    [Fact]
    public void Secrets_in_any_field_of_a_report_reach_neither_the_text_nor_the_json()
    {
        const string secret = "annasmith Annas-MacBook C02XK0AAJG5H 192.168.178.21 a4:83:e7:12:34:56";
        using var folder = new TemporaryFolder();
        var file = new EvidenceFile(Path.Combine(folder.Path, "report.md"), redactor);

        file.Write(ReportFullOf(secret));

        var text = File.ReadAllText(file.Path);
        Assert.Contains("&lt;user> &lt;host> &lt;serial> &lt;ip> &lt;mac>", text, StringComparison.Ordinal);
        foreach (var part in secret.Split(' '))
            Assert.DoesNotContain(part, text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal([file.Path], Directory.GetFiles(folder.Path));
        // The walk goes over every text there is: none of the record's own may be without the planted one.
        var json = JsonNode.Parse(text.Split("```json\n")[1].Split("```")[0])!;
        Assert.Equal("<user> <host> <serial> <ip> <mac>", (string?)json["targets"]![0]!["items"]![0]!["cause"]);
        Assert.Equal("failed", (string?)json["targets"]![0]!["items"]![0]!["status"]);
    }

    private static EvidenceReport ReportFullOf(string text)
    {
        var figures = new Dictionary<string, double>(StringComparer.Ordinal) { ["seconds"] = 1 };
        var gpu = new PciGpu(text, PciGpu.Amd, 0x744c, Name: text, Driver: text, RenderNode: text);
        var enclosure = new ThunderboltDevice(text, text, text, ThunderboltGeneration.Usb4, 40);
        return new EvidenceReport(
            EvidenceReport.CurrentFormat,
            DateTimeOffset.UnixEpoch,
            new EvidenceMachine(text, text, text, text, text, 8, 1),
            new EvidenceModel(text, text, text, 1, text),
            600,
            1,
            text,
            [
                new DeviceDescription(
                    text,
                    DeviceKind.ExternalGpu,
                    text,
                    DeviceState.Unusable,
                    text,
                    1,
                    1,
                    1,
                    gpu,
                    enclosure
                ),
            ],
            [new DoctorCheck(text, CheckState.Failed, text, text, text)],
            [
                new TargetEvidence(
                    text,
                    DeviceKind.ExternalGpu,
                    text,
                    text,
                    text,
                    text,
                    [new EvidenceItem(text, EvidenceStatus.Failed, text, 1, figures, text, text)]
                ),
            ]
        );
    }
}
