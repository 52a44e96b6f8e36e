using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Members of a data parallel run on their way through a real silo, which closes their rounds by itself.</summary>
[Collection(OnCheckpointFleet.Name)]
public sealed class RoundHttpTests(CheckpointFleet fleet)
{
    private const int Values = 70_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private RoundClient Rounds => new(fleet.Http);

    [Theory]
    [InlineData(DeltaEncoding.F32)]
    [InlineData(DeltaEncoding.F16)]
    [InlineData(DeltaEncoding.Int8)]
    public async Task Two_members_train_two_rounds_and_get_the_same_weights(DeltaEncoding encoding)
    {
        var leases = await fleet.LeaseAsync(2, Token);
        var terms = new RoundTerms(new Microshards(16, 4, 1), 1, 0, 3600);
        await Rounds.BeginAsync(leases[0], terms, Weights(0), Token);
        // Both are there before one contributes: a round waits for its members only.
        foreach (var lease in leases)
            await Rounds.JoinAsync(lease, Token);
        var ends = await Task.WhenAll(TrainAsync(leases[0], 1, encoding), TrainAsync(leases[1], 3, encoding));

        // Each round goes by the mean of 1 and 3.
        Assert.All(ends, end => Assert.Equal(RoundPhase.Finished, end.Round.Phase));
        Assert.All(ends, end => Assert.All(end.Values, value => Assert.Equal(4f, value, 0.05f)));
        Assert.Equal(ends[0].Values, ends[1].Values);
        var latest = await fleet.Client.ListCheckpointsAsync(leases[0].Shard.Job.ToString(), null, 1, Token);
        Assert.Equal(ends[0].Round.Checkpoint, Assert.Single(latest.Data).Id);
        Assert.True((await fleet.Client.VerifyCheckpointAsync(ends[0].Round.Checkpoint, Token)).IsIntact);
    }

    [Fact]
    public async Task Refusals_have_their_codes()
    {
        var leases = await fleet.LeaseAsync(1, Token);
        var terms = new RoundTerms(new Microshards(16, 4, 1));
        Assert.Equal("run_not_begun", await CodeAsync(() => Rounds.JoinAsync(leases[0], Token)));
        var begun = await Rounds.BeginAsync(leases[0], terms, Weights(0), Token);
        Assert.Equal("not_a_member", await CodeAsync(() => Rounds.TakeAsync(leases[0], 0, 1, Token)));
        Assert.Equal("fenced", await CodeAsync(() => Rounds.JoinAsync(leases[0] with { Epoch = 2 }, Token)));
        await Rounds.JoinAsync(leases[0], Token);
        Assert.Equal("stale_round", await CodeAsync(() => Rounds.TakeAsync(leases[0], 7, 1, Token)));
        var other = terms with { OuterRate = 0.1 };
        Assert.Equal("invalid_round", await CodeAsync(() => Rounds.BeginAsync(leases[0], other, Weights(0), Token)));
        var staged = await Rounds.SendAsync(leases[0], Weights(1), Token);
        Assert.Equal(
            "not_leased",
            await CodeAsync(() =>
                Rounds.ContributeAsync(leases[0], begun, staged, DeltaEncoding.F32, 10, [0], 1, Token)
            )
        );
    }

    [Theory]
    [InlineData("begin", "{}")]
    [InlineData("begin", """{"job":"JOB","shard":0,"epoch":1,"terms":null,"checkpoint":"x","weights":null}""")]
    [InlineData("join", """{"job":"JOB","shard":-1,"epoch":1}""")]
    [InlineData("join", "[")]
    [InlineData("take", """{"job":"JOB","shard":0,"epoch":1,"round":-5,"total":99999999}""")]
    [InlineData("contribute", """{"job":"JOB","shard":0,"epoch":1,"round":0,"base":null,"checkpoint":null}""")]
    [InlineData("next?job=JOB&shard=x&round=0", null)]
    [InlineData("weights?checkpoint=nothing", null)]
    [InlineData("manifest", null)]
    public async Task Hostile_calls_are_refused(string path, string? body)
    {
        var job = JobId.New(TimeProvider.System.GetUtcNow()).ToString();
        using var request = new HttpRequestMessage(
            body is null ? HttpMethod.Get : HttpMethod.Post,
            $"{InternalRoutes.TrainingRounds}/{path.Replace("JOB", job, StringComparison.Ordinal)}"
        );
        if (body is not null)
            request.Content = new StringContent(
                body.Replace("JOB", job, StringComparison.Ordinal),
                Encoding.UTF8,
                "application/json"
            );
        using var answer = await fleet.Http.SendAsync(request, Token);

        Assert.InRange((int)answer.StatusCode, 400, 499);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    /// <summary>Goes round after round, each time to base + <paramref name="step"/>, until the run is over.</summary>
    private async Task<(RoundNow Round, float[] Values)> TrainAsync(
        TrainingLease lease,
        float step,
        DeltaEncoding encoding
    )
    {
        var encoder = new DeltaEncoder(encoding);
        var round = await Rounds.JoinAsync(lease, Token);
        while (round.Phase is RoundPhase.Open or RoundPhase.Closing)
        {
            if (round.HasFree && round.Phase == RoundPhase.Open)
            {
                var values = await FetchAsync(round);
                round = await Rounds.TakeAsync(lease, round.Round, 1, Token);
                var theirs = values.Select(value => value + step).ToArray();
                var delta = new TrainingState(0, null, encoder.Encode("a", [7, Values / 7], values, theirs));
                var staged = await Rounds.SendAsync(lease, delta, Token);
                await Rounds.ContributeAsync(lease, round, staged, encoding, 100, round.Held, 1, Token);
            }
            round = await Rounds.NextAsync(lease, round.Round, Token);
        }
        return (round, await FetchAsync(round));
    }

    private async Task<float[]> FetchAsync(RoundNow round)
    {
        var bytes = new byte[Values * sizeof(float)];
        var manifest = await Rounds.FetchAsync(round, _ => bytes, Token);
        Assert.Equal("a", Assert.Single(manifest.Tensors).Name);
        return MemoryMarshal.Cast<byte, float>(bytes).ToArray();
    }

    private static TrainingState Weights(float value) =>
        new(
            0,
            null,
            [
                new NamedBuffer(
                    "a",
                    ElementType.F32,
                    [7, Values / 7],
                    MemoryMarshal.AsBytes<float>(Enumerable.Repeat(value, Values).ToArray()).ToArray()
                ),
            ]
        );

    private static async Task<string> CodeAsync<T>(Func<Task<T>> call) =>
        (await Assert.ThrowsAsync<CheckpointException>(call)).Code;
}
