using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>The part of a checkpoint that says where in its data a run is.</summary>
public sealed class RunStateTests
{
    [Fact]
    public void It_is_read_as_it_was_written()
    {
        var state = new RunState(12, 1, 2, 3, 4_567, new string('a', 64), new string('b', 64));
        Assert.Equal(state, RunState.Read(state.Write()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData(
        """{"step":-1,"epoch":0,"microshard":0,"row":0,"trained_tokens":0,"base_sha256":"a","data_sha256":"b"}"""
    )]
    [InlineData(
        """{"step":1,"epoch":0,"microshard":0,"row":0,"trained_tokens":0,"base_sha256":null,"data_sha256":"b"}"""
    )]
    public void What_is_none_is_refused(string json) =>
        Assert.Throws<TrainingStateException>(() =>
            RunState.Read(new Dictionary<string, string> { [RunState.Entry] = json })
        );

    [Fact]
    public void A_checkpoint_without_it_is_refused() =>
        Assert.Throws<TrainingStateException>(() => RunState.Read(new Dictionary<string, string>()));
}
