using EgpuFleet.Kernels.LlamaCpp.Decoding;
using EgpuFleet.Kernels.LlamaCpp.Native;
using EgpuFleet.Kernels.LlamaCpp.Text;

namespace EgpuFleet.Kernels.Tests.Worker;

/// <summary>The promise of the exact profile below the tokens: the logits themselves are the same bits.</summary>
public sealed class ExactProfileTests
{
    private const int Slots = 6;
    private const int Steps = 40;

    [Fact]
    public void Logits_are_the_same_bits_beside_one_filler_beside_gaps_and_in_a_full_batch()
    {
        LlamaLibrary.Open(Ggml.DeviceCpu);
        using var model = new LlamaModelHandle(Llama.ModelLoadFromFile(Stories.ModelPath, Llama.ModelDefaultParams()));
        var vocabulary = new Vocabulary(model);
        using var context = new LlamaContext(
            model,
            vocabulary.Size,
            new ContextShape(512, Slots, 1, Exact: true, IsOnGpu: false)
        );

        var alone = LogitsOfSlot2(context, [2], fillers: [3]);
        var withGaps = LogitsOfSlot2(context, [0, 2, 5], fillers: [1, 3, 4]);
        var full = LogitsOfSlot2(context, [0, 1, 2, 3, 4, 5], fillers: []);

        Assert.Equal(alone, full);
        Assert.Equal(alone, withGaps);
        Assert.DoesNotContain(alone, logits => logits.All(logit => logit == 0));
    }

    /// <summary>Feeds fixed tokens to some slots at once; logits of slot 2 after every step.</summary>
    private static List<float[]> LogitsOfSlot2(LlamaContext context, int[] running, int[] fillers)
    {
        var all = new List<float[]>();
        for (var step = 0; step < Steps; step++)
        {
            context.Batch.Clear();
            var row = 0;
            for (var slot = 0; slot < Slots; slot++)
            {
                if (slot == 2)
                    row = context.Batch.Count;
                if (running.Contains(slot))
                    context.Batch.Add(3 + (((step * 37) + (slot * 11)) % 400), step, slot, logits: true);
                else if (fillers.Contains(slot))
                    context.AddFiller(slot, 0);
            }
            context.Decode();
            all.Add(context.Logits(row).ToArray());
        }
        foreach (var slot in running)
            context.Forget(slot);
        return all;
    }
}
