"""Pictures of scenes, and which piece each pixel shows. MuJoCo 4.0 with its Filament backend, in software.

Needs requirements-demo.txt and a software Vulkan driver (on Debian: libvulkan1, mesa-vulkan-drivers).
Segmentation is rendered without antialiasing at the final size, colour at twice the size and averaged in
linear light; the two align to the pixel. Labels are the same on every run; colours differ by up to about one
level of 255 on average.
"""

from __future__ import annotations

import collections.abc

import numpy as np
from numpy.typing import NDArray

from demo.scenes.scene import Scene
from demo.scenes.texture import Texture

if not hasattr(collections.abc, "Buffer"):  # MuJoCo's Filament helper wants Python 3.12
    collections.abc.Buffer = memoryview  # type: ignore[attr-defined]

import mujoco
import mujoco.studio.window  # noqa: F401 - registers the renderer's assets, else the context aborts
from mujoco import mjrf
from mujoco.rendering.filament import model_scene, renderer

renderer._extract_buffer = lambda buffer: buffer
SIDE = 224
OVERSAMPLING = 2
GAMMA = 2.2
NEAR, FAR = 0.05, 300.0
_QUALITY = {
    "shadows.type": "pcf",
    "cg.tone_mapping": "pbr_neutral",
    "ao.quality": "ultra",
    "ao.low_pass_filter": "ultra",
    "ao.upsampling": "ultra",
}


class Renderer:
    """Renders one scene after another."""

    def __init__(self, side: int = SIDE) -> None:
        config = mjrf.ContextConfig()
        config.software_rendering = True
        config.graphics_api = mjrf.GraphicsApi.GRAPHICS_API_VULKAN
        self._context, self._side = mjrf.Context(config), side

    def render(self, scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """(side, side, 3) uint8 picture and (side, side) index into the scene's pieces, −1 for none."""
        model = _model(scene, self._side * OVERSAMPLING)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        drawing = renderer.Renderer(self._context)
        drawn = model_scene.ModelScene(self._context, model, drawing.scene("scene"))
        drawn.update(data)
        drawn.get_renderable(mujoco.mjtObj.mjOBJ_GEOM, 0).set_cast_shadow(False)  # the sky
        large = np.zeros((self._side * OVERSAMPLING, self._side * OVERSAMPLING, 3), np.uint8)
        marks = np.zeros((self._side, self._side, 3), np.uint8)
        drawing.target("colour", large)
        drawing.target("marks", marks)
        common = {"camera": _camera(scene), "reflections": False, "haze": False}
        drawing.render([renderer.View("scene", "colour", **common)])
        by_id = mjrf.DrawMode.DRAW_MODE_SEGMENTATION_BY_ID
        plain = {"post_processing": False, "shadows": False, "skybox": False}
        drawing.render([renderer.View("scene", "marks", draw_mode=by_id, **plain, **common)])
        index = marks[..., 0].astype(np.int64) + marks[..., 1].astype(np.int64) * 256 - 1
        return _averaged(large, self._side), index


def _averaged(large: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    linear = (large / 255.0) ** GAMMA
    small = linear.reshape(side, OVERSAMPLING, side, OVERSAMPLING, 3).mean((1, 3)) ** (1 / GAMMA)
    return (small * 255 + 0.5).astype(np.uint8)


def _camera(scene: Scene) -> mjrf.Camera:
    camera = scene.camera
    half = NEAR * np.tan(np.radians(camera.field_of_view / 2))
    made = mjrf.Camera(
        pos=camera.position.astype(np.float32),
        forward=camera.forward.astype(np.float32),
        up=camera.up.astype(np.float32),
        frustum_bottom=-half,
        frustum_top=half,
        frustum_near=NEAR,
        frustum_far=FAR,
    )
    made.frustum_width = half
    return made


def _model(scene: Scene, pixels: int) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    spec.visual.quality.shadowsize = 2048
    spec.visual.global_.offwidth = spec.visual.global_.offheight = pixels
    spec.visual.headlight.active = 0
    _light(spec, scene)
    materials: dict[int, str] = {}
    for number, piece in enumerate(scene.pieces):
        texture = piece.texture
        if id(texture) not in materials:
            materials[id(texture)] = _material(spec, texture, len(materials))
        mesh = spec.add_mesh(name=f"mesh{number}", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        mesh.uservert = piece.mesh.vertices.astype(np.float32).ravel()
        mesh.usernormal = piece.mesh.normals.astype(np.float32).ravel()
        mesh.userface = piece.mesh.faces.astype(np.int32).ravel()
        mesh.usertexcoord = (piece.mesh.uv / texture.metres).astype(np.float32).ravel()
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=f"mesh{number}",
            material=materials[id(texture)],
            contype=0,
            conaffinity=0,
            name=str(number),
        )
    return spec.compile()


def _material(spec: mujoco.MjSpec, texture: Texture, number: int) -> str:
    height, width, channels = texture.pixels.shape
    picture = spec.add_texture(
        name=f"texture{number}",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=width,
        height=height,
        nchannel=channels,
    )
    picture.data = np.ascontiguousarray(texture.pixels).tobytes()
    material = spec.add_material(
        name=f"material{number}",
        metallic=texture.metallic,
        roughness=texture.roughness,
        emission=texture.glow,
    )
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f"texture{number}"
    return f"material{number}"


def _light(spec: mujoco.MjSpec, scene: Scene) -> None:
    light = scene.light
    numbers = {
        "fallback.environment_light_intensity": light.ambient,
        "fallback.scene_light_intensity": light.sun,
        "fallback.head_light_intensity": 0.0,
        "shadows.map_size": 2048.0,
        "cg.exposure": light.exposure,
    }
    for name, value in numbers.items():
        spec.add_numeric(name=f"filament.{name}", data=[float(value)], size=1)
    for name, text in _QUALITY.items():
        spec.add_text(name=f"filament.{name}", data=text)
    direction = light.direction
    # No `intensity` here: a positive one switches the fallback numbers above off.
    spec.worldbody.add_light(
        pos=(-direction * 30).tolist(),
        dir=direction.tolist(),
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        diffuse=list(light.colour),
        castshadow=True,
        bulbradius=light.softness,
    )
