using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using EgpuFleet.Formats.Tests.Safetensors;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>The command line has a model trained, follows it, and begins another run with what the first had learnt.</summary>
public sealed class FinetuneCommandTests(SharedFleet shared)
{
    /// <summary>Of the sample model.</summary>
    private const int Layers = 6;

    private static readonly string[] Small =
    [
        "--max-steps",
        "2",
        "--epochs",
        "1",
        "--batch-size",
        "1",
        "--row-tokens",
        "64",
        "--lora-rank",
        "4",
        "--learning-rate",
        "0.001",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_is_followed_to_its_end_and_another_begins_with_what_it_had_learnt()
    {
        var folder = Directory.CreateTempSubdirectory("egpufleet-finetune-");
        try
        {
            var data = await DataAsync(folder.FullName);
            var first = await FleetAsync([
                "finetune",
                "create",
                data,
                "--model",
                SharedFleet.SampleModel,
                .. Small,
                "--wait",
            ]);
            Assert.True(first.ExitCode == 0, first.Output + first.Error);
            Assert.Contains("step 2/2  loss ", first.Output, StringComparison.Ordinal);
            Assert.Contains("Done: served as ft:tiny-fleet:default:", first.Output, StringComparison.Ordinal);

            var id = first.Output.Split('\n')[0].Trim();
            var shown = Json(await FleetAsync("finetune", "show", id, "--json"));
            var checkpoint = (string)shown["checkpoints"]![0]!["id"]!;
            Assert.Equal(
                ("succeeded", 2),
                ((string?)shown["job"]!["status"], (int?)shown["checkpoints"]![0]!["step_number"])
            );

            await ExportedAsync(checkpoint, folder.FullName);

            // Rank and alpha are those of the run that it begins with.
            var branch = await FleetAsync(
                "checkpoints",
                "branch",
                checkpoint,
                "--max-steps",
                "1",
                "--row-tokens",
                "64",
                "--wait"
            );
            Assert.True(branch.ExitCode == 0, branch.Output + branch.Error);
            Assert.Contains("Starts with the weights of checkpoint", branch.Output, StringComparison.Ordinal);
            var other = Json(await FleetAsync("finetune", "show", branch.Output.Split('\n')[0].Trim(), "--json"));
            Assert.Equal(
                (4, 8.0),
                ((int?)other["job"]!["egpufleet"]!["rank"], (double?)other["job"]!["egpufleet"]!["alpha"])
            );

            var wrong = await FleetAsync("checkpoints", "branch", checkpoint, "--lora-rank", "8");
            Assert.Equal(1, wrong.ExitCode);
            Assert.StartsWith("rank must be left out or 4", wrong.Error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string> DataAsync(string folder)
    {
        var path = Path.Combine(folder, "train.jsonl");
        var lines = Enumerable.Range(0, 8).Select(line => $"{{\"text\":\"The fleet has {line} devices.\"}}\n");
        await File.WriteAllTextAsync(path, string.Concat(lines), Encoding.UTF8, Token);
        return path;
    }

    /// <summary>
    /// A reader of none of ours finds PEFT's names for every matrix of the base, and in them the numbers that llama.cpp serves;
    /// but for the rows of queries and keys, which converters to GGUF exchange.
    /// </summary>
    private async Task ExportedAsync(string checkpoint, string folder)
    {
        foreach (var format in new[] { "peft", "gguf" })
        {
            var exported = await FleetAsync("checkpoints", "export", checkpoint, "--format", format, "--to", folder);
            Assert.True(exported.ExitCode == 0, exported.Error);
        }
        var peft = await IndependentReader.ReadAsync(Path.Combine(folder, PeftAdapter.WeightsName), Token);
        var tensors = peft.GetProperty("tensors");
        Assert.Equal(
            (
                from layer in Enumerable.Range(0, Layers)
                from module in AdapterModules.All
                from part in "AB"
                select $"base_model.model.model.layers.{layer}.{module.Module}.lora_{part}.weight"
            ).Order(StringComparer.Ordinal),
            tensors.EnumerateObject().Select(tensor => tensor.Name).Order(StringComparer.Ordinal)
        );

        using var file = File.OpenRead(Path.Combine(folder, "model.gguf"));
        var served = GgufReader.Open(file);
        foreach (var (target, module) in AdapterModules.All)
        {
            foreach (var part in target is "attn_q" or "attn_k" ? "A" : "AB")
            {
                var ours = served.Tensors.Single(one => one.Name == $"blk.0.{target}.weight.lora_{char.ToLower(part)}");
                var bytes = new byte[ours.Bytes];
                served.ReadTensor(ours, 0, bytes);
                var theirs = tensors.GetProperty($"base_model.model.model.layers.0.{module}.lora_{part}.weight");
                Assert.Equal(
                    MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
                    theirs.GetProperty("values").EnumerateArray().Select(value => (float)value.GetDouble())
                );
            }
        }
    }

    private Task<CommandResult> FleetAsync(params string[] arguments) =>
        CommandLine.RunAsync(Token, [.. arguments, "--data", shared.Fleet.DataDirectory]);

    private static JsonNode Json(CommandResult result)
    {
        Assert.True(result.ExitCode == 0, result.Error);
        return JsonNode.Parse(result.Output)!;
    }
}
