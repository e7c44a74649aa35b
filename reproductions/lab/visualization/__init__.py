"""Pictures of what a network has learnt: its filters, feature maps, projections back to pixels, and occlusion maps.

`graph` unrolls a network into steps, `projection` goes back through them, `occlusion` covers parts of an image, and
`kernels` and `maps` choose what is shown of a layer. The modules named `draw_*` make figures of the results.
"""
