using EgpuFleet.Dashboard.Jobs;

namespace EgpuFleet.Dashboard.Tests.Parts;

public sealed class ShardAttemptTests
{
    [Fact]
    public void A_requeued_shard_has_two_attempts()
    {
        var attempts = ShardAttempt.From([
            Samples.Event(1, "shard_started", 9, 0, "a/cpu-0"),
            Samples.Event(2, "shard_requeued", 7, 0, "a/cpu-0"),
            Samples.Event(3, "shard_started", 6, 0, "b/cpu-0", 2),
            Samples.Event(4, "shard_finished", 1, 0, "b/cpu-0", 2),
        ]);
        Assert.Equal(
            [(1, "a/cpu-0", AttemptOutcome.Requeued), (2, "b/cpu-0", AttemptOutcome.Finished)],
            attempts.Select(attempt => (attempt.Epoch, attempt.Device, attempt.Outcome))
        );
        Assert.All(attempts, attempt => Assert.NotNull(attempt.EndedAt));
    }

    [Theory]
    [InlineData("cancelled")]
    [InlineData("failed")]
    public void The_end_of_the_job_ends_what_runs(string end)
    {
        var attempt = Assert.Single(
            ShardAttempt.From([Samples.Event(1, "shard_started", 9, 0, "a/cpu-0"), Samples.Event(2, end, 1)])
        );
        Assert.Equal(AttemptOutcome.Stopped, attempt.Outcome);
        Assert.NotNull(attempt.EndedAt);
    }

    [Fact]
    public void An_end_without_a_start_is_no_attempt() =>
        Assert.Empty(ShardAttempt.From([Samples.Event(1, "shard_finished", 9, 0, "a/cpu-0")]));
}
