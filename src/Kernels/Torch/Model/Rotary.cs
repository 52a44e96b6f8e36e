using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>Turns pairs of a head's rows by angles that grow with the position.</summary>
internal sealed class Rotary : IDisposable
{
    private readonly LlamaConfig config;
    private readonly Tensor cosines;
    private readonly Tensor sines;

    /// <param name="positions">Of the longest row.</param>
    public Rotary(LlamaConfig config, int positions)
    {
        this.config = config;
        using var scope = NewDisposeScope();
        var exponents = arange(0, config.HeadSize, 2, ScalarType.Float32) / config.HeadSize;
        var frequencies = exp(exponents * -MathF.Log(config.RopeBase));
        if (config.RopeDivisors.Count > 0)
            frequencies = frequencies / tensor(config.RopeDivisors.ToArray());
        var angles = outer(arange(positions, dtype: ScalarType.Float32), frequencies)
            .view(positions, 1, config.HeadSize / 2);
        cosines = angles.cos().DetachFromDisposeScope();
        sines = angles.sin().DetachFromDisposeScope();
    }

    /// <param name="heads">[rows, tokens, heads, head size].</param>
    public Tensor Turn(Tensor heads)
    {
        var tokens = heads.shape[1];
        var (cosine, sine) = (Of(cosines, tokens, heads.dtype), Of(sines, tokens, heads.dtype));
        var half = config.HeadSize / 2;
        if (!config.TurnsNeighbours)
        {
            var (first, second) = (heads.narrow(-1, 0, half), heads.narrow(-1, half, half));
            return cat([(first * cosine) - (second * sine), (first * sine) + (second * cosine)], -1);
        }
        var pairs = heads.view(heads.shape[0], tokens, heads.shape[2], half, 2);
        var (even, odd) = (pairs.select(-1, 0), pairs.select(-1, 1));
        return stack([(even * cosine) - (odd * sine), (even * sine) + (odd * cosine)], -1).flatten(3);
    }

    public void Dispose()
    {
        cosines.Dispose();
        sines.Dispose();
    }

    private static Tensor Of(Tensor table, long tokens, ScalarType type)
    {
        var part = table.narrow(0, 0, tokens);
        return part.dtype == type ? part : part.to(type);
    }
}
