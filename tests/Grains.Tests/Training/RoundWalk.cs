using System.Globalization;
using System.Text;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Grains.Tests.Training;

/// <summary>
/// Every state that the rounds of a small run can get into: two devices that come, go and come again under a new lease,
/// two microshards, contributions that arrive in any order, late, again and again, and any of them dropped.
/// </summary>
internal sealed class RoundWalk(Rounds rounds)
{
    private const int Microshards = 2;
    private static readonly int[] MostEpochs = [2, 1];

    /// <summary>Contributions on their way at once; an older one is lost.</summary>
    private const int MostSent = 2;
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private static readonly RoundRules Rules = new(Microshards, new OuterRates(), BarrenRounds: 2);

    private readonly HashSet<string> seen = [];
    private readonly Queue<World> open = [];

    public int States => seen.Count;

    public bool Finishes { get; private set; }

    /// <summary>The first broken promise; null when there is none anywhere.</summary>
    public Violation? Run()
    {
        Add(new World(RoundMachine.Start(Rules, "base 0", Start), [0, 0], [0, 0], [], []));
        while (open.TryDequeue(out var world))
        {
            try
            {
                foreach (var next in Next(world))
                {
                    if (Check(next) is { } violation)
                        return violation;
                    Add(next);
                }
            }
            catch (InvalidOperationException broken)
            {
                return new Violation("J7", broken.Message);
            }
        }
        return null;
    }

    private void Add(World world)
    {
        // Times are put back, so that equal situations are one.
        var settled = world with
        {
            State = world.State with
            {
                Deadline = Start.AddSeconds(Rules.RoundSeconds),
                Members = [.. world.State.Members.Select(member => member with { HeardAt = Start })],
            },
        };
        Finishes |= settled.State.Phase == RoundPhase.Finished;
        if (seen.Add(settled.Key()))
            open.Enqueue(settled);
    }

    private static Violation? Check(World world)
    {
        var state = world.State;
        var places = state
            .Book.Returned.Concat(Enumerable.Range(state.Book.Next, Microshards - state.Book.Next))
            .Concat(state.Members.SelectMany(member => member.Leased))
            .Concat(state.Contributions.SelectMany(one => one.Microshards))
            .Concat(world.Applied.Select(one => one.Microshard));
        // The name of a contribution says in which round it was made.
        var foreign = state.Contributions.FirstOrDefault(one => one.Delta.Split('.')[2] != $"{state.Round}");
        if (foreign is not null)
            return new Violation("J7", $"round {state.Round} has the contribution{foreign.Delta}");
        return MicroshardRules
            .OnePlace(Microshards, places)
            .Concat(MicroshardRules.OneApplication(Microshards, world.Applied, state.Phase == RoundPhase.Finished))
            .Cast<Violation?>()
            .FirstOrDefault();
    }

    private IEnumerable<World> Next(World world)
    {
        var state = world.State;
        foreach (var member in new[] { 0, 1 })
        {
            foreach (var next in Of(world, member))
                yield return next;
        }
        foreach (var message in world.Sent)
        {
            yield return world with
            {
                State = rounds.Contribute(state, message.Contribution, message.Round, message.Base, Start),
            };
        }
        var live = new[] { 0, 1 }.Where(m => world.Live[m] > 0).Select(m => (m, world.Live[m])).ToHashSet();
        foreach (var seconds in new[] { 0, Rules.RoundSeconds, Rules.RoundSeconds + Rules.SilentSeconds })
            yield return world with
            {
                State = rounds.Tick(state, live, Start.AddSeconds(seconds)),
            };
        if (state.Phase != RoundPhase.Closing)
            yield break;
        for (var mask = 0; mask < 1 << state.Contributions.Count; mask++)
        {
            var dropped = state
                .Contributions.Where((_, i) => (mask >> i & 1) == 1)
                .Select(one => one.Delta)
                .ToHashSet();
            var (next, applied) = rounds.Close(state, dropped, $"base {state.Round + 1}", Start);
            yield return world with
            {
                State = next,
                Applied = [.. world.Applied, .. applied.Select(one => new AppliedMicroshard(state.Round, one))],
            };
        }
    }

    private IEnumerable<World> Of(World world, int member)
    {
        var (state, epoch) = (world.State, world.Live[member]);
        if (epoch > 0)
        {
            yield return world with
            {
                Live = Put(world.Live, member, 0),
            };
            yield return world with
            {
                State = rounds.Join(state, member, epoch, Start),
            };
            yield return world with
            {
                State = rounds.Take(state, member, epoch, state.Round, 2, Start),
            };
        }
        else if (world.Epochs[member] < MostEpochs[member])
        {
            var next = world.Epochs[member] + 1;
            yield return world with
            {
                Epochs = Put(world.Epochs, member, next),
                Live = Put(world.Live, member, next),
            };
        }
        if (state.Find(member) is not { Leased.Count: > 0 } known)
            yield break;
        // What it is leased, or only the first of it.
        foreach (var done in new[] { known.Leased, [known.Leased[0]] }.Take(known.Leased.Count))
        {
            var name = $" {member}.{known.Epoch}.{state.Round}.{string.Join('+', done)}";
            if (world.Sent.Any(message => message.Contribution.Delta == name))
                continue;
            var contribution = new RoundContribution(member, known.Epoch, name, DeltaEncoding.F32, 10, done);
            yield return world with
            {
                Sent = [.. world.Sent.Append(new Message(contribution, state.Round, state.Base)).TakeLast(MostSent)],
            };
        }
    }

    private static int[] Put(int[] values, int at, int value) => [.. values.Select((old, i) => i == at ? value : old)];

    private sealed record Message(RoundContribution Contribution, int Round, string Base);

    /// <param name="Epochs">The last epoch of each device.</param>
    /// <param name="Live">The same while it is there, else 0.</param>
    /// <param name="Sent">Contributions that may arrive at any time, any number of times.</param>
    private sealed record World(RoundState State, int[] Epochs, int[] Live, Message[] Sent, AppliedMicroshard[] Applied)
    {
        public string Key()
        {
            var key = new StringBuilder();
            key.Append(CultureInfo.InvariantCulture, $"{State.Round} {State.Phase} {State.Barren} {State.Book.Next}");
            List(State.Book.Returned);
            foreach (var member in State.Members)
                List([-1, member.Id, member.Epoch, .. member.Leased]);
            foreach (var one in State.Contributions)
                key.Append(one.Delta);
            key.Append(';').AppendJoin(',', State.LastApplied);
            foreach (var one in Sent)
                key.Append(one.Contribution.Delta);
            List([.. Epochs, .. Live, -1, .. Applied.Select(one => one.Microshard)]);
            return key.ToString();

            void List(IReadOnlyList<int> numbers) => key.Append('|').AppendJoin(',', numbers);
        }
    }
}
