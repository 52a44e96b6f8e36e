using System.Text.RegularExpressions;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Training;

/// <summary>The words in a training state: one list here, one in the Python worker.</summary>
public sealed partial class StateNamesTests
{
    [Fact]
    public void The_python_worker_has_the_same_words()
    {
        var source = File.ReadAllText(
            RepositoryPaths.At("src/Kernels/Tinygrad/worker/egpufleet_tinygrad/training/state.py")
        );
        Assert.Equal(
            new SortedSet<string>(StringComparer.Ordinal)
            {
                StateNames.Format,
                StateNames.FormatKey,
                StateNames.StepKey,
                StateNames.BaseKey,
                StateNames.MethodKey,
                StateNames.FirstMoment,
                StateNames.SecondMoment,
            },
            new SortedSet<string>(
                Words().Matches(source).Select(match => match.Groups["word"].Value),
                StringComparer.Ordinal
            )
        );
    }

    [Theory]
    [InlineData("blk.0.attn_q.lora_a", "blk.0.attn_q.lora_a", false)]
    [InlineData("adam.m.blk.0.attn_q.lora_a", "blk.0.attn_q.lora_a", true)]
    [InlineData("adam.v.blk.0.attn_q.lora_a", "blk.0.attn_q.lora_a", true)]
    [InlineData("adam.x.blk.0.attn_q.lora_a", "adam.x.blk.0.attn_q.lora_a", false)]
    [InlineData("adam.", "adam.", false)]
    public void A_moment_belongs_to_the_tensor_behind_its_prefix(string name, string trained, bool isMoment) =>
        Assert.Equal((trained, isMoment), (StateNames.TrainedOf(name), StateNames.IsMoment(name)));

    /// <summary>Keys of metadata, and constants with a dash or a dot at the end: what a state is spelt with.</summary>
    [GeneratedRegex(
        "\"(?<word>[a-z0-9_]+(?=\":)|format|step|egpufleet-[a-z0-9-]+|adam\\.[a-z]\\.)\"",
        RegexOptions.CultureInvariant,
        10_000
    )]
    private static partial Regex Words();
}
