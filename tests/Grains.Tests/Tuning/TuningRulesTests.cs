using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Grains.Tuning;

namespace EgpuFleet.Grains.Tests.Tuning;

/// <summary>Which of an agent's findings are kept.</summary>
public sealed class TuningRulesTests
{
    private static readonly string Name = new('a', 64);

    private static readonly KernelTuning Good = new(Name, "UPCAST:0:4 TC:0:-1,2,1 NOLOCALS", 2e-3, 1e-3);

    public static TheoryData<KernelTuning> Bad =>
        [
            Good with
            {
                Kernel = Name[1..],
            },
            Good with
            {
                Kernel = Name + "\n",
            },
            Good with
            {
                Kernel = Name.ToUpperInvariant(),
            },
            Good with
            {
                Kernel = null!,
            },
            Good with
            {
                Opts = null!,
            },
            Good with
            {
                Opts = " ",
            },
            Good with
            {
                Opts = "UPCAST:0:4 ",
            },
            Good with
            {
                Opts = "upcast:0:4",
            },
            Good with
            {
                Opts = "UPCAST:0:4\n",
            },
            Good with
            {
                Opts = "UPCAST:0:4;drop",
            },
            Good with
            {
                Opts = string.Join(' ', Enumerable.Repeat("SWAP:0:1", 13)),
            },
            Good with
            {
                Opts = new string('A', 300),
            },
            Good with
            {
                SecondsAfter = 2e-3,
            },
            Good with
            {
                SecondsAfter = 0,
            },
            Good with
            {
                SecondsAfter = double.NaN,
            },
            Good with
            {
                SecondsBefore = double.PositiveInfinity,
            },
            Good with
            {
                SecondsBefore = double.NaN,
            },
        ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_no_search_finds_is_not_kept(KernelTuning bad) =>
        Assert.Equal([Good], TuningRules.Good(Report(bad, Good)));

    [Fact]
    public void Of_a_kernel_named_twice_the_faster_is_kept_and_no_optimisation_is_one_too()
    {
        var faster = Good with { Opts = "", SecondsAfter = 5e-4 };
        Assert.Equal([faster], TuningRules.Good(Report(Good, faster)));
    }

    [Fact]
    public void A_report_is_read_only_so_far()
    {
        var many = Enumerable.Range(0, 5000).Select(number => Good with { Kernel = number.ToString("x64", null) });
        Assert.Equal(Limits.ReportedKernels, TuningRules.Good(Report([.. many])).Count);
    }

    [Theory]
    [InlineData("CPU x86_64,native ClangRenderer 2 threads", "a9069c177", true)]
    [InlineData("", "1", false)]
    [InlineData("CPU", "", false)]
    [InlineData("CPU\u0000", "1", false)]
    [InlineData("CPU é", "1", false)]
    public void A_class_is_named_by_printable_words(string device, string version, bool isOne) =>
        Assert.Equal(isOne, TuningClass.OfKey($"{device}\n{version}") is { } of && TuningRules.IsClass(of));

    [Fact]
    public void A_class_that_is_named_too_long_or_in_parts_is_none()
    {
        Assert.False(TuningRules.IsClass(new TuningClass(new string('x', 121), "1")));
        Assert.False(TuningRules.IsClass(new TuningClass("CPU", new string('1', 65))));
        Assert.Null(TuningClass.OfKey("CPU"));
        Assert.Null(TuningClass.OfKey("CPU\n1\n2"));
        var of = new TuningClass("CPU", "1");
        Assert.Equal(of, TuningClass.OfKey(of.Key));
    }

    private static TuningReport Report(params KernelTuning[] kernels) =>
        new(JobId.New(DateTimeOffset.UnixEpoch), new NodeId("mac-1"), kernels);
}
