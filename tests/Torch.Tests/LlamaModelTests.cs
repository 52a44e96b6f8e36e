using EgpuFleet.Kernels.Torch.Model;
using TorchSharp;

namespace EgpuFleet.Torch.Tests;

public sealed class LlamaModelTests
{
    private static readonly int[] Tokens = [7, 300, 12, 12, 383, 0, 45, 99, 128, 5, 64];

    [Fact]
    public void Logits_equal_those_of_plain_loops()
    {
        using var scope = torch.NewDisposeScope();
        using var model = Scaled();
        var expected = new ReferenceLlama(model).Forward(Tokens);
        var actual = model.Forward(Ids(Tokens));
        for (var position = 0; position < Tokens.Length; position++)
        {
            var logits = actual[0, position].data<float>().ToArray();
            for (var token = 0; token < logits.Length; token++)
                Assert.Equal(expected[position][token], logits[token], tolerance: 2e-4);
        }
        Assert.True(expected[^1].Max() > 0.5, "logits near zero would agree with anything");
    }

    [Fact]
    public void A_later_token_changes_nothing_before_it()
    {
        using var scope = torch.NewDisposeScope();
        using var model = Scaled();
        var whole = model.Forward(Ids(Tokens));
        var changed = model.Forward(Ids([.. Tokens[..^1], 200]));
        Assert.True(whole.narrow(1, 0, Tokens.Length - 1).allclose(changed.narrow(1, 0, Tokens.Length - 1)));
        Assert.False(whole[0, -1].allclose(changed[0, -1]));
    }

    [Fact]
    public void Every_weight_has_a_gradient()
    {
        using var scope = torch.NewDisposeScope();
        using var model = new LlamaModel(TinyModels.Config, seed: 1);
        var targets = torch.tensor(Tokens[1..].Select(token => (long)token).ToArray());
        var logits = model.Forward(Ids(Tokens[..^1]))[0];
        torch.nn.functional.cross_entropy(logits, targets).backward();
        Assert.Equal(2 + (9 * TinyModels.Config.Layers), model.Parameters.Count);
        Assert.All(model.Parameters, entry => Assert.True(entry.Value.grad!.norm().item<float>() > 0, entry.Name));
    }

    [Fact]
    public void Equal_seeds_give_equal_weights()
    {
        using var scope = torch.NewDisposeScope();
        using var first = new LlamaModel(TinyModels.Config, seed: 9);
        using var second = new LlamaModel(TinyModels.Config, seed: 9);
        using var other = new LlamaModel(TinyModels.Config, seed: 10);
        Assert.All(
            first.Parameters.Zip(second.Parameters),
            pair => Assert.True(Same(pair.First.Value, pair.Second.Value))
        );
        Assert.False(Same(first.Parameters[0].Value, other.Parameters[0].Value));
    }

    // Fresh weights are so small that attention is nearly uniform; larger ones make every part count.
    private static LlamaModel Scaled()
    {
        var model = new LlamaModel(TinyModels.Config, seed: 3);
        using var noGradients = torch.no_grad();
        foreach (var (_, value) in model.Parameters.Where(entry => entry.Value.dim() == 2))
            _ = value.mul_(8);
        return model;
    }

    private static torch.Tensor Ids(int[] tokens) =>
        torch.tensor(tokens.Select(token => (long)token).ToArray(), [1, tokens.Length]);

    private static bool Same(torch.Tensor left, torch.Tensor right) => left.equal(right).all().item<bool>();
}
