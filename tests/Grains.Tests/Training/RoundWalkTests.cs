namespace EgpuFleet.Grains.Tests.Training;

public sealed class RoundWalkTests
{
    public static TheoryData<string> Mutants => [.. Rounds.Broken.Keys];

    [Fact]
    public void No_microshard_is_applied_twice_or_lost_whatever_comes_when()
    {
        var walk = new RoundWalk(Rounds.Real);

        Assert.Null(walk.Run());
        Assert.True(walk.Finishes);
        Assert.True(walk.States > 10_000, $"only {walk.States} states");
    }

    [Theory]
    [MemberData(nameof(Mutants))]
    public void The_walk_notices_a_guard_that_is_missing(string mutant) =>
        Assert.NotNull(new RoundWalk(Rounds.Broken[mutant]).Run());
}
