using EgpuFleet.Kernels.Torch.Model;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Continues a prompt by the most likely token each time: for looking at a model, not for serving it.</summary>
public static class Sampler
{
    /// <summary>The tokens that follow, without the one that ended it.</summary>
    public static IReadOnlyList<int> Continue(
        LlamaModel model,
        IReadOnlyList<int> prompt,
        int limit,
        IReadOnlySet<int> stops
    )
    {
        using var noGradients = no_grad();
        var all = prompt.Select(token => (long)token).ToList();
        var answer = new List<int>();
        while (answer.Count < limit && all.Count < model.Config.Context)
        {
            using var scope = NewDisposeScope();
            var logits = model.Forward(tensor(all.ToArray(), [1, all.Count]));
            var next = (int)logits[0, -1].argmax().item<long>();
            if (stops.Contains(next))
                break;
            all.Add(next);
            answer.Add(next);
        }
        return answer;
    }
}
