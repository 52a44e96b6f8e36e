using System.Text;
using CsCheck;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Failures;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Linux;
using EgpuFleet.Kernels.Drivers.Mac;
using EgpuFleet.Kernels.Tests.Drivers.Linux;
using EgpuFleet.Kernels.Tests.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers;

/// <summary>Any bytes in, some facts out: no text of a tool throws, or is believed beyond its form.</summary>
public sealed class HostileTextTests
{
    public static TheoryData<string> Names { get; } =
    [
        "ten megabytes",
        "one endless line",
        "binary",
        "cut off",
        "deep",
        "wrong types",
        "huge numbers",
        "lone surrogate",
        "many items",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hostile_text_gives_some_facts(string name) => AskAll(Hostile(name));

    [Fact]
    public void Any_bytes_give_some_facts() =>
        Gen.Byte.Array[0, 2000].Sample(bytes => AskAll(Encoding.UTF8.GetString(bytes)), iter: 300);

    [Fact]
    public void Pieces_of_real_texts_in_any_order_give_some_facts()
    {
        var lines = Transcript.All.SelectMany(transcript => transcript.Text.Split('\n')).ToArray();
        Gen.Int[0, lines.Length - 1]
            .Array[0, 60]
            .Sample(some => AskAll(string.Join('\n', some.Select(index => lines[index]))), iter: 300);
    }

    [Fact]
    public void Every_prefix_of_a_report_gives_some_facts()
    {
        var text = Transcript.Of("Pci/report-rtx-3060").Text;
        for (var length = 0; length < text.Length; length += 7)
            Assert.Null(ProfilerReport.ParseJson(text[..length]));
    }

    [Fact]
    public void What_is_shown_of_foreign_text_is_short_and_plain()
    {
        var shown = DisplayNumbers.Plain("a\u001b[31mb\nc" + new string('x', 10_000))!;
        Assert.Equal(Limits.SeenCharacters, shown.Length);
        Assert.DoesNotContain(shown, char.IsControl);
        Assert.Null(DisplayNumbers.Plain(" \n"));
    }

    private static void AskAll(string text)
    {
        var said = CommandText.Of(text);
        var mac = MacFacts.Of(
            new MacTexts(true, said, said, said, said, said, said, said, said, said, said, MacTextsOf.NoFiles, [text])
        );
        var report = MacDoctor.Examine(mac, new WorkerEvidence(false, text, null, null, null));
        Assert.All(report.Checks, check => Assert.InRange(check.Seen.Length, 1, 20_000));
        Assert.InRange(TinyGpuDriver.Describe(mac).Count, 0, 1);
        var device = new SysfsDevice("0000:01:00.0", text, text, text, text, text, text, text, text, text);
        var linux = LinuxFacts.Of(
            LinuxTextsOf.Bare with
            {
                Pci = [device, device with { Class = "0x030000", Vendor = "0x10de", Device = "0x2684" }],
                KfdGpuIds = [text],
                NvidiaSmi = said,
                Clang = said,
                Llvm = [text],
                Python = said,
                Numpy = said,
            }
        );
        Assert.NotEmpty(LinuxDoctor.Examine(linux, null, usesTinygrad: true).Checks);
        Assert.NotEmpty(LinuxGpuDriver.Describe(linux));
        Assert.NotNull(FailureTable.Classify(text));
    }

    private static string Hostile(string name) =>
        name switch
        {
            "ten megabytes" => string.Concat(Enumerable.Repeat("Vendor ID: 0x10de\nDevice ID: 0x2504\n\n", 280_000)),
            "one endless line" => "BEAM" + new string('(', 3_000_000) + "[[[",
            "binary" => Encoding.Latin1.GetString([.. Enumerable.Range(0, 65_536).Select(i => (byte)(i * 31))]),
            "cut off" => Transcript.Of("Pci/report-rtx-3060").Text[..500],
            "deep" => string.Concat(Enumerable.Repeat("{\"SPPCIDataType\":[{\"_items\":[", 5_000)),
            "wrong types" => """
                {"SPPCIDataType":{"_name":1},"SPThunderboltDataType":[1,null,[],{"_items":{"a":1},"mode_key":[2]}],
                "SPDisplaysDataType":[{"_name":{},"spdisplays_vendor":7,"spdisplays_device-id":null}]}
                """,
            "huge numbers" => """
                {"SPPCIDataType":[{"sppci_vendor-id":"0xffffffffffffffffffff","sppci_device-id":"0x10000000000000000",
                "sppci_link-width":"x99999999999999999999","sppci_link-speed":"1e999 GT/s"}]}
                """,
            "lone surrogate" =>
                """{"SPPCIDataType":[{"_name":"\ud800","sppci_vendor-id":"0x10de","sppci_device-id":"\udc00"}]}""",
            _ =>
                $$"""{"SPPCIDataType":[{{string.Join(',', Enumerable.Repeat("""{"sppci_vendor-id":"0x1002","sppci_device-id":"0x744c"}""", 20_000))}}]}""",
        };
}
