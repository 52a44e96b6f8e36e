using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>Two engines that share no mathematics, one over weights of four bits, one over the floats that those mean.</summary>
public sealed class TinygradParityTests(TorchWorker torch) : IClassFixture<TorchWorker>, IDisposable
{
    /// <summary>Both compute in 32-bit floats, and add in another order. Seen: 2e-6.</summary>
    private const double Tolerance = 2e-5;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efg");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama")]
    [InlineData("qwen3")]
    public async Task Gradients_over_four_bits_are_those_over_what_the_bits_mean(string architecture)
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable(TinygradSettings.CheckoutVariable) is null or "",
            $"{TinygradSettings.CheckoutVariable} is not set."
        );
        var model = new SyntheticModel(new SyntheticShape(architecture) { Layers = 2 }, WeightKind.Q4_0);
        model.Write(At("four-bits"));
        model.Write(At("floats"), dequantised: true);
        await using var worker = WorkerProcess.Start(worker: "EgpuFleet.Kernels.Tinygrad");
        await using var client = await worker.ConnectAsync(Token);
        await using var ours = await client.OpenTrainingAsync(Spec("four-bits"), Token);
        await using var theirs = await torch.Client.OpenTrainingAsync(Spec("floats"), Token);
        // Until B is something, A has no gradient.
        for (var step = 0; step < 3; step++)
            await ours.StepAsync(Batches.Random(step, ByteVocabulary.Size, rows: 3), 1e-2, Token);
        await ours.SaveAsync(At("state"), weightsOnly: true, Token);
        await theirs.RestoreAsync(At("state"), Token);

        var batch = Batches.Random(9, ByteVocabulary.Size, rows: 3);
        var our = await ours.BackwardAsync(batch, At("ours"), Token);
        var their = await theirs.BackwardAsync(batch, At("theirs"), Token);

        Assert.Equal(their.TrainedTokens, our.TrainedTokens);
        Assert.InRange(our.LossSum / their.LossSum, 1 - Tolerance, 1 + Tolerance);
        var apart = LargestDifference();
        TestContext.Current.SendDiagnosticMessage($"{architecture}: gradients {apart:e1} apart at worst");
        Assert.InRange(apart, 0, Tolerance);
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>Of all tensors, the length of the difference over that of the gradient.</summary>
    private double LargestDifference()
    {
        using var ours = SafetensorsFile.Open(At("ours"));
        using var theirs = SafetensorsFile.Open(At("theirs"));
        Assert.Equal(Names(theirs), Names(ours));
        var largest = 0.0;
        foreach (var tensor in theirs.Tensors)
        {
            var (their, our) = (theirs.ReadSingles(tensor), ours.ReadSingles(ours.Find(tensor.Name)!));
            var difference = their.Zip(our, (one, other) => one - other);
            Assert.True(Length(their) > 0, tensor.Name);
            largest = Math.Max(largest, Length(difference) / Length(their));
        }
        return largest;
    }

    private static IEnumerable<string> Names(SafetensorsFile file) =>
        file.Tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal);

    private static double Length(IEnumerable<float> values) => Math.Sqrt(values.Sum(value => (double)value * value));

    /// <summary>Both stand for the same base: a state of one is a state of the other.</summary>
    private TrainSpec Spec(string file) => Batches.Spec(At(file), new string('a', 64), TrainMethod.Lora);

    private string At(string name) => Path.Combine(folder.FullName, name);
}
