using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>A training state on its way from an agent through a silo into Postgres and back, and what happens to it there.</summary>
[Collection(OnCheckpointFleet.Name)]
public sealed class CheckpointTests(CheckpointFleet fleet)
{
    private static readonly Dictionary<string, double> Loss = new(StringComparer.Ordinal) { ["valid_loss"] = 1.5 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_state_comes_back_and_unchanged_tensors_are_not_sent_again()
    {
        var lease = await fleet.LeaseAsync(Token);
        var state = State();
        var first = await fleet.Checkpoints.SaveAsync(lease, At(10, null, state), Token);
        state[1] = Blob("moments", 700_000);
        var second = await fleet.Checkpoints.SaveAsync(lease, At(20, first.Id, state), Token);
        var third = await fleet.Checkpoints.SaveAsync(lease, At(30, second.Id, state), Token);
        var restored = await RestoreAsync(lease);

        Assert.Equal((first.SizeBytes, 700_000L, 0L), (first.SentBytes, second.SentBytes, third.SentBytes));
        Assert.Equal(
            (third.Id, 30L, second.Id),
            (restored.Info.Checkpoint.Id, restored.Info.Checkpoint.Step, restored.Info.Checkpoint.Parent)
        );
        Assert.Empty(restored.Info.PassedOver);
        Assert.Equal(state.Select(buffer => buffer.Data.ToArray()), restored.Bytes);
        Assert.Equal("it\u00e9", restored.Info.Manifest.Metadata["base"]);
        Assert.Equal(1.5, restored.Info.Checkpoint.Metrics["valid_loss"]);
        Assert.Equal([256, 5000], restored.Info.Manifest.Tensors[0].Shape);
        var listed = await fleet.Client.ListCheckpointsAsync(lease.Shard.Job.ToString(), null, 2, Token);
        Assert.Equal([third.Id, second.Id], listed.Data.Select(checkpoint => checkpoint.Id));
        Assert.True(listed.HasMore);
        Assert.True((await fleet.Client.VerifyCheckpointAsync(third.Id, Token)).IsIntact);
    }

    [Theory]
    [InlineData("update chunk set data = set_byte(data, 7, 255 - get_byte(data, 7)) where hash = $1")]
    [InlineData("delete from chunk where hash = $1")]
    public async Task A_damaged_checkpoint_is_passed_over_and_said_so(string damage)
    {
        var lease = await fleet.LeaseAsync(Token);
        var state = State();
        var first = await fleet.Checkpoints.SaveAsync(lease, At(10, null, state), Token);
        NamedBuffer[] changed = [state[0], Blob("moments", 700_000)];
        var second = await fleet.Checkpoints.SaveAsync(lease, At(20, first.Id, changed), Token);
        await using var command = fleet.Rig.Postgres.Database.CreateCommand(damage);
        command.Parameters.Add(new() { Value = ChunkHash.Of(changed[1].Data.Span[^(700_000 % 262_144)..]).ToArray() });
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Token));

        var restored = await RestoreAsync(lease);

        Assert.Equal(first.Id, restored.Info.Checkpoint.Id);
        Assert.Equal((second.Id, 20L), (Assert.Single(restored.Info.PassedOver).Id, restored.Info.PassedOver[0].Step));
        Assert.Equal(state.Select(buffer => buffer.Data.ToArray()), restored.Bytes);
        Assert.False((await fleet.Client.VerifyCheckpointAsync(second.Id, Token)).IsIntact);
        // Who saves the same bytes again is asked for them, and the damage is healed.
        await fleet.Checkpoints.SaveAsync(lease, At(30, first.Id, changed), Token);
        Assert.True((await fleet.Client.VerifyCheckpointAsync(second.Id, Token)).IsIntact);
    }

    [Fact]
    public async Task An_exported_state_is_a_file_of_safetensors_and_a_damaged_one_breaks_off()
    {
        var lease = await fleet.LeaseAsync(Token);
        var state = State();
        var saved = await fleet.Checkpoints.SaveAsync(lease, At(10, null, state), Token);
        var folder = Path.Combine(fleet.Rig.Folder, "exported");

        var exported = await ExportAsync(saved.Id, folder);

        Assert.True(exported.ExitCode == 0, exported.Error);
        using var read = SafetensorsFile.Open(Path.Combine(folder, $"{saved.Id}.safetensors"));
        Assert.Equal(["weights", "moments", "step", "none"], read.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(["F32", "U8", "I64", "U8"], read.Tensors.Select(tensor => tensor.Type.Name));
        Assert.Equal(
            (saved.Id, "10", "ité"),
            (read.Metadata["checkpoint"], read.Metadata["step"], read.Metadata["base"])
        );
        foreach (var (tensor, buffer) in read.Tensors.Zip(state))
        {
            var bytes = new byte[tensor.Bytes];
            read.Read(tensor, 0, bytes);
            Assert.True(bytes.AsSpan().SequenceEqual(buffer.Data.Span), tensor.Name);
            Assert.Equal(buffer.Shape, tensor.Shape);
        }
        await using var damage = fleet.Rig.Postgres.Database.CreateCommand(
            "update chunk set data = set_byte(data, 0, 255 - get_byte(data, 0)) where hash = $1"
        );
        damage.Parameters.Add(new() { Value = ChunkHash.Of(state[1].Data.Span[^(700_000 % 262_144)..]).ToArray() });
        Assert.Equal(1, await damage.ExecuteNonQueryAsync(Token));
        var refused = await ExportAsync(saved.Id, folder + "-damaged");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("checkpoints verify", refused.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(folder + "-damaged"));
    }

    [Fact]
    public async Task A_worker_without_the_lease_saves_nothing()
    {
        var lease = await fleet.LeaseAsync(Token);
        var later = lease with { Epoch = 2 };

        var refused = await Assert.ThrowsAsync<CheckpointException>(() =>
            fleet.Checkpoints.SaveAsync(later, At(10, null, State()), Token)
        );

        Assert.Equal("fenced", refused.Code);
        Assert.Null(await fleet.Checkpoints.RestoreAsync(lease.Shard, _ => default, Token));
    }

    private static TrainingState At(long step, string? parent, NamedBuffer[] tensors) =>
        new(step, parent, tensors)
        {
            Metrics = Loss,
            Metadata = new Dictionary<string, string> { ["base"] = "it\u00e9" },
        };

    private static NamedBuffer[] State() =>
        [
            new("weights", ElementType.F32, [256, 5000], Random(256 * 5000 * 4)),
            Blob("moments", 700_000),
            new("step", ElementType.I64, [], Random(8)),
            Blob("none", 0),
        ];

    private static NamedBuffer Blob(string name, int bytes) => new(name, ElementType.U8, [bytes], Random(bytes));

    private static byte[] Random(int bytes)
    {
        var data = new byte[bytes];
        new Random(Guid.NewGuid().GetHashCode()).NextBytes(data);
        return data;
    }

    private Task<CommandResult> ExportAsync(string id, string folder) =>
        CommandLine.RunAsync(
            Token,
            ["checkpoints", "export", id, "--to", folder, "--url", fleet.Rig.Silos[0].Url.ToString()]
        );

    private async Task<(RestoredCheckpoint Info, IReadOnlyList<byte[]> Bytes)> RestoreAsync(TrainingLease lease)
    {
        var bytes = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var info = await fleet.Checkpoints.RestoreAsync(
            lease.Shard,
            tensor => bytes[tensor.Name] = new byte[tensor.SizeBytes],
            Token
        );
        return (info!, [.. info!.Manifest.Tensors.Select(tensor => bytes[tensor.Name])]);
    }
}
