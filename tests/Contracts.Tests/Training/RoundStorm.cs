using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>
/// Members that come, go and come back at random, hand in twice, late or something else than they leased, and silos that die
/// in the middle of closing a round; one seed, one storm.
/// </summary>
internal sealed class RoundStorm(RoundRig rig, int members, int seed)
{
    private readonly Random random = new(seed);
    private readonly int[] epochs = [.. Enumerable.Repeat(1, members)];
    private readonly bool[] isThere = [.. Enumerable.Repeat(true, members)];
    private readonly List<(int Member, int Epoch, RoundWork Work)> sent = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Goes on until all is applied.</summary>
    public async Task RunAsync()
    {
        while (await rig.PhaseAsync() != RoundPhase.Finished)
        {
            if (random.Next(4) == 0)
                await CloseAsync();
            else
                await StepAsync(random.Next(members));
        }
    }

    private async Task StepAsync(int member)
    {
        if (!isThere[member])
        {
            await rig.LeaseAsync(member, ++epochs[member]);
            isThere[member] = true;
            return;
        }
        switch (random.Next(10))
        {
            case 0:
                await rig.LoseAsync(member, epochs[member]);
                isThere[member] = false;
                break;
            case 1 when sent.Count > 0:
                var (who, epoch, work) = sent[random.Next(sent.Count)];
                await rig.Rounds.ContributeAsync(rig.Lease(who, epoch), work, Token);
                break;
            default:
                await TrainAsync(member);
                break;
        }
    }

    private async Task TrainAsync(int member)
    {
        var lease = rig.Lease(member, epochs[member]);
        var joined = await rig.Rounds.JoinAsync(lease, Token);
        if (joined.Reply != RoundReply.Accepted)
            return;
        var taken = await rig.Rounds.TakeAsync(lease, joined.Run!.State.Round, random.Next(1, 4), Token);
        var held = taken.Run?.State.Find(member)?.Leased ?? [];
        if (taken.Reply != RoundReply.Accepted || held.Count == 0 || random.Next(3) == 0)
            return;
        var done = held.Take(random.Next(1, held.Count + 1)).ToArray();
        var delta = RoundRig.Weights(-1, -1);
        var work = await rig.WorkAsync(member, done, delta, DeltaEncoding.F32, 50, epochs[member]);
        sent.Add((member, epochs[member], work));
        // Some answers are lost, and some calls come later.
        if (random.Next(5) > 0)
            await rig.Rounds.ContributeAsync(lease, work, Token);
    }

    private async Task CloseAsync()
    {
        try
        {
            await rig.CloseAsync(new InterruptedRounds(rig.Rounds, random.Next(20)));
        }
        catch (KilledException)
        {
            // Another silo goes on with it.
        }
    }
}
