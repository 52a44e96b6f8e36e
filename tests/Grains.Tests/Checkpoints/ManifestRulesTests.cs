using System.Text.Json;
using CsCheck;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.Grains.Tests.Checkpoints;

public sealed class ManifestRulesTests
{
    private static readonly ManifestTensor Good = new("w", ElementType.F32, [256, 512], 524_288, 262_144, new byte[64]);

    private static readonly Func<ManifestTensor, ManifestTensor>[] Changes =
    [
        tensor => tensor with { Name = "" },
        tensor => tensor with { Name = "a b" },
        tensor => tensor with { Name = "__metadata__" },
        tensor => tensor with { Name = new string('n', 257) },
        tensor => tensor with { Type = (ElementType)99 },
        tensor => tensor with { Shape = [-256, -512] },
        tensor => tensor with { Shape = [256, 511] },
        tensor => tensor with { Shape = [long.MaxValue, long.MaxValue, 4] },
        tensor => tensor with { Shape = [1, 1, 1, 1, 1, 1, 1, 256, 512] },
        tensor => tensor with { SizeBytes = -524_288 },
        tensor => tensor with { ChunkBytes = 1 },
        tensor => tensor with { ChunkBytes = 2 << 20 },
        tensor => tensor with { Hashes = new byte[63] },
        tensor => tensor with { Hashes = new byte[96] },
    ];

    [Fact]
    public void Tensors_scalars_and_empty_ones_are_fine() =>
        Assert.Null(
            ManifestRules.Fault(
                new Manifest([
                    Good,
                    new("step", ElementType.I64, [], 8, 1 << 20, new byte[32]),
                    new("none", ElementType.F16, [0, 7], 0, 1 << 20, []),
                ])
            )
        );

    [Fact]
    public void A_manifest_that_is_none_is_told_why()
    {
        Assert.NotNull(ManifestRules.Fault(new Manifest([])));
        Assert.Contains("two tensors", ManifestRules.Fault(new Manifest([Good, Good])), StringComparison.Ordinal);
        foreach (var change in Changes)
            Assert.NotNull(ManifestRules.Fault(new Manifest([change(Good)])));
    }

    [Fact]
    public void Metadata_is_short_and_named()
    {
        Assert.Null(FaultOf(new() { ["base_sha256"] = "\n\u00e9" }));
        Assert.NotNull(FaultOf(null!));
        Assert.NotNull(FaultOf(new() { ["a b"] = "" }));
        Assert.NotNull(FaultOf(new() { ["a"] = null! }));
        Assert.NotNull(FaultOf(new() { ["a"] = new string('x', 64 << 10) }));
        Assert.NotNull(FaultOf(Enumerable.Range(0, 65).ToDictionary(i => $"n{i}", _ => "")));

        static string? FaultOf(Dictionary<string, string> metadata) =>
            ManifestRules.Fault(new Manifest([Good]) { Metadata = metadata });
    }

    [Fact]
    public void Metrics_are_finite_and_named()
    {
        Assert.Null(ManifestRules.Fault(new Dictionary<string, double> { ["valid_loss"] = 1.5 }));
        Assert.NotNull(ManifestRules.Fault(new Dictionary<string, double> { ["loss"] = double.NaN }));
        Assert.NotNull(ManifestRules.Fault(new Dictionary<string, double> { [""] = 1 }));
    }

    [Fact]
    public void Hashes_sort_as_their_bytes_and_survive_both_forms() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte.Array[32])
            .Sample(
                (a, b) =>
                    Math.Sign(ChunkHash.Read(a).CompareTo(ChunkHash.Read(b)))
                        == Math.Sign(a.AsSpan().SequenceCompareTo(b))
                    && ChunkHash.Read(a).ToArray().AsSpan().SequenceEqual(a)
                    && ChunkHash.Read(a).ToString() == Convert.ToHexStringLower(a)
            );

    [Fact]
    public void A_manifest_is_written_in_snake_case_and_read_back()
    {
        var written = new Manifest([Good]) { Metadata = new Dictionary<string, string> { ["Step_of"] = "x" } };
        var json = JsonSerializer.Serialize(written, CheckpointJson.Options);
        Assert.Contains("\"type\":\"f32\"", json, StringComparison.Ordinal);
        var manifest = JsonSerializer.Deserialize<Manifest>(json, CheckpointJson.Options)!;
        var read = manifest.Tensors[0];
        Assert.Equal("x", manifest.Metadata["Step_of"]);
        Assert.Equal((Good.Name, Good.Type, Good.SizeBytes), (read.Name, read.Type, read.SizeBytes));
        Assert.Equal(Good.Hashes, read.Hashes);
        Assert.Throws<JsonException>(() =>
            JsonSerializer.Deserialize<Manifest>("""{"tensors":null}""", CheckpointJson.Options)
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ckpt_")]
    [InlineData("job_0123456789abcdef0123456789abcdef")]
    [InlineData("ckpt_0123456789abcdef0123456789abcdeg")]
    public void A_text_that_is_no_id_is_none(string? text) => Assert.False(CheckpointId.TryParse(text, out _));

    [Fact]
    public void An_id_reads_its_own_text()
    {
        var id = CheckpointId.New(DateTimeOffset.UnixEpoch);
        Assert.True(CheckpointId.TryParse(id.ToString(), out var read));
        Assert.Equal(id, read);
    }
}
