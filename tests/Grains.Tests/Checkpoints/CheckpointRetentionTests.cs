using CsCheck;
using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Checkpoints;

public sealed class CheckpointRetentionTests
{
    private static readonly ShardId Shard = new(new JobId(Guid.Empty), 0);

    private static readonly Gen<CheckpointRules> Rules = Gen.Select(
        Gen.Int[1, 5],
        Gen.Int[0, 4],
        Gen.Int[0, 3],
        (last, every, best) => new CheckpointRules(last, every, best, "loss", TimeSpan.FromHours(1))
    );

    private static readonly Gen<CheckpointRecord[]> Checkpoints = Gen.Select(
            Gen.Int[0, 5],
            Gen.Bool,
            Gen.Bool,
            (loss, hasLoss, isWell) => (loss, hasLoss, isWell)
        )
        .Array[0, 20]
        .Select(all => all.Select((one, i) => Checkpoint(i, one.isWell, one.hasLoss ? one.loss : null)).ToArray());

    [Fact]
    public void What_a_rule_keeps_is_kept_and_nothing_else() =>
        Gen.Select(Checkpoints, Rules)
            .Sample(
                (checkpoints, rules) =>
                {
                    var retired = CheckpointRetention.Retire(checkpoints, rules).ToHashSet();
                    var complete = checkpoints.Where(c => c.State == CheckpointState.Complete).ToArray();
                    if (complete.Length == 0)
                        return retired.Count == 0;
                    var measured = complete.Where(c => c.Metrics.ContainsKey("loss")).ToArray();
                    return checkpoints.All(checkpoint =>
                    {
                        var isWell = checkpoint.State == CheckpointState.Complete;
                        var isLast = complete.Count(c => c.CompletedAt > checkpoint.CompletedAt) < rules.KeepLast;
                        var isNth = rules.KeepEvery > 0 && checkpoint.Number % rules.KeepEvery == 0;
                        var isKept = !retired.Contains(checkpoint.Id);
                        if (!isWell)
                            return !isKept;
                        if (isLast || isNth)
                            return isKept;
                        if (!checkpoint.Metrics.TryGetValue("loss", out var loss))
                            return !isKept;
                        // Of equal ones any may be the one that is kept.
                        var better = measured.Count(c => c.Metrics["loss"] < loss);
                        var asGood = measured.Count(c => c.Metrics["loss"] <= loss);
                        return asGood <= rules.KeepBest ? isKept : better < rules.KeepBest || !isKept;
                    });
                }
            );

    [Fact]
    public void A_second_pass_retires_nothing_more() =>
        Gen.Select(Checkpoints, Rules)
            .Sample(
                (checkpoints, rules) =>
                {
                    var retired = CheckpointRetention.Retire(checkpoints, rules).ToHashSet();
                    var left = checkpoints.Where(checkpoint => !retired.Contains(checkpoint.Id)).ToArray();
                    return CheckpointRetention.Retire(left, rules).Count == 0;
                }
            );

    [Fact]
    public void The_order_given_does_not_matter() =>
        Gen.Select(Checkpoints, Rules)
            .Sample(
                (checkpoints, rules) =>
                    CheckpointRetention
                        .Retire([.. checkpoints.Reverse()], rules with { KeepBest = 0 })
                        .ToHashSet()
                        .SetEquals(CheckpointRetention.Retire(checkpoints, rules with { KeepBest = 0 }))
            );

    [Fact]
    public void Rules_that_would_keep_nothing_are_no_rules() =>
        Assert.Throws<ArgumentException>(() =>
            CheckpointRetention.Retire([], CheckpointRules.Default with { KeepLast = 0 })
        );

    private static CheckpointRecord Checkpoint(int number, bool isWell, int? loss) =>
        new(
            CheckpointId.New(DateTimeOffset.UnixEpoch.AddSeconds(number)),
            Shard,
            1,
            null,
            number + 1,
            number * 10,
            isWell ? CheckpointState.Complete : CheckpointState.Damaged,
            1,
            1,
            loss is { } value ? new Dictionary<string, double> { ["loss"] = value } : [],
            DateTimeOffset.UnixEpoch.AddSeconds(number)
        );
}
