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
        if (heads.dtype == ScalarType.Float32)
            return Fused.Turn.apply(heads, cosines, sines, config.TurnsNeighbours);
        var turned = Fused.Turn.apply(heads.to(ScalarType.Float32), cosines, sines, config.TurnsNeighbours);
        return turned.to(heads.dtype);
    }

    public void Dispose()
    {
        cosines.Dispose();
        sines.Dispose();
    }
}
