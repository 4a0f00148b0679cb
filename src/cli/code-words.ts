// The words that codes are made of: 1,024, short and easy to say, no two of which are one slip of the keys apart (a
// letter more, less or other, or two swapped), so that a slip never turns one word into another.

/** In alphabetical order; 10 bits each. */
export const CODE_WORDS: readonly string[] = `
  acorn actor airplane airport album algebra almond alphabet amber anchor ancient ankle annual answer antelope antler
  apple apricot april apron arcade archery arena arrive article artist aspen atlas attic august author autumn azure
  baboon backpack bacon badger bakery balance balcony ballad balloon bamboo banana barber bargain barn barrel baseball
  basement basil basket bathroom battery beaver bedroom beech beetle beetroot beige belief benefit berry bicycle birch
  birthday biscuit bison black blanket blender blizzard blossom blue bluebell bonnet bonus border borrow bottle
  boulder bounce bowl bowling bracelet bramble branch brave bread breeze bridge bright brisk bronze brook brother
  brown bubble bucket budget buffalo build bundle burger bush butcher butter button cabbage cabin cable cactus
  calendar camel camera campus canary candle candy canoe canvas canyon captain caramel caravan carbon carnival carpet
  carriage carrot carry cartoon cattle cave cedar ceiling celery cellar cello central century ceremony chair champion
  chance chapter charity cheese chemist cherry chess chestnut chicken chimney choose chorus cider cinema cinnamon
  circle circus citizen city classic clever cliff climate climbing cloud clove cobalt cocoa coconut collect college
  collie comedy comet comfort compare compass concert condor contest cookie copper corner cosmic cottage cotton couch
  cougar courage cousin cover cozy crab cracker cradle crater crayon cream create credit creek cricket crimson crisp
  crow crystal cuckoo cucumber cupboard curious curtain cushion custom cycle cycling cyclone cypress daffodil daisy
  dancer date dawn debate decade december degree deliver delta denim desert detail device dialog diamond diary digital
  dinner discover distance divide doctor dolphin domino donate donkey door double dragon drawer dress drive drizzle
  drum duck dumpling dune eager eagle earring echo eclipse edition editor effort elbow electric elegant element
  elephant emerald energy engine engineer envelope episode equation eraser errand evening event example exhibit
  explore eyebrow fabric factory fairy falcon famous fancy farmer fashion father faucet fence fencing fern festival
  fiction filter final finch fisher flavor flight flour fluffy flute focus forehead forest forget fork formal formula
  fortress fortune fossil foxglove fragment freedom freezer fresh friday friend friendly frog frontier frost future
  fuzzy galaxy gallery garage garden gardener garlic gazelle generous gentle gesture giant giggle ginger giraffe
  glacier glider glisten global glory goat golden golf goose gorilla grammar grand grandma granite grape grass gravel
  gravity gray green guest guitar gull habit hail hallway hamlet hammer hamster happy harbor harmony harp harvest hawk
  hazel hedgehog helium helmet heritage herring hill hippo history hockey holiday hollow honest honey honor horizon
  hornet horse hospital hotel huge humble hunter hurry hydrogen icicle idea iguana image imagine improve impulse
  income indigo infinite insect interest invent invite invoice iron island item ivory jacket jaguar january jasmine
  jelly jeweler jigsaw journal journey jubilee juggler juice jump jungle jupiter justice kangaroo kayak kestrel kettle
  king kingdom kitchen kitten kiwi knee knight knot label ladder ladybug lagoon lake lamb lantern large lark laser
  laugh laundry lavender leaf learn lemon lemonade lemur leopard lesson letter lettuce level liberty library lilac
  lily lime limit linen lion little lively lizard lobster logic lottery lotus lucky lunch machine mackerel magazine
  magenta magnet magnetic magpie mandolin mango manual maple marathon marble marigold market marsh mascot matrix
  mattress meadow measure medal melody melon memory mention mercury message method midnight mighty milk million mint
  minute mirror mission mixture model modern modest moment monday mongoose monument morning moss mother motion motor
  mountain mouse muffin mule museum musical mustard mystery mystic napkin narrow natural necklace needle neighbor
  nephew neptune network nickel nickname noble noodle noon northern notebook notice novel novelty number nurse nutmeg
  oasis object observe ocean october octopus offer olive onion opera opinion option orange orbit orchard original
  ostrich otter outline oven oxygen oyster package paint painter pajamas palace palm pancake panda panther papaya
  paper parade parcel parsley partner pasta patient patio pattern peaceful peach peacock peanut pear pebble pecan
  pelican pencil penguin pension people pepper perfect period permit petal photo phrase piano picnic picture pigeon
  pillar pilot pink pixel pizza plain planet plate plateau platform platinum playful plaza pleasure pliers plum
  plumber poem policy polish polite polka pollen pony poplar porch portrait postcard poster potato practice prairie
  prepare pretty pretzel primrose prince princess prism prize process produce profit program promise protect proud
  publish pudding puddle pulse pumpkin puppy purple puzzle pyramid quality quarter queen question quick quiet quince
  quota rabbit radar radiant radio radish rainbow raincoat raisin rapid raven reason recipe record reef region
  reindeer remember repair replace report rescue result return reward rhino ribbon riddle ritual river robin rocket
  rooster root rough round routine rowing royal rudder ruler running rustic saddle saffron sage sailing salad salmon
  salty sandal sandwich sapphire sardine satin saucer scale scarf scarlet scatter scene schedule school science
  scissors scooter scorpion sculptor seal search second seed segment sequoia shadow shampoo shark sheep shelf shelter
  shepherd shimmer shiny shirt shoulder shovel shrimp shuffle signal silence silent silver simple sincere sister
  skating sketch skiing sleek sleeve slipper slogan slow smart smooth snail sneaker snowdrop soccer society soda soft
  solid soup source southern souvenir space spaniel sparkle sparrow special sphere spicy spider spinach spiral spirit
  splendid sponge spoon spring spruce square squash squid squirrel stable stadium stapler station statue steady
  stellar stencil stew sticker stomach stork stormy stranger stream stretch strong student sturdy sugar suitcase
  summer summit sunday sunny sunrise sunset sunshine super supreme surface surfing surprise swallow swamp swan sweater
  sweet swift swimming switch syllable symbol symphony syrup system tailor talent tall target taxi teacher teapot
  temple tempo tender tennis terrier theater theory thistle thread thumb thunder thyme ticket tidy tiger timber title
  toast toaster today toffee token tomato tomorrow tornado tortoise total tourist tower tractor trail tram treasure
  trend triangle trick triple trivia trolley trombone trophy tropical trousers trout trumpet trunk tulip tuna tundra
  tunnel turkey turnip turtle tutor twig twilight twinkle umbrella uncle unique universe unlock upgrade urban useful
  vacation vacuum valid valley value vanilla vehicle velocity velvet venus version victory video village vineyard
  violet violin visible visitor vivid volcano voucher voyage vulture waffle wagon wallet walnut walrus wander wardrobe
  warm watch water wealth wedding weekend western whale wheel whisker white wild willow windmill window windy winter
  wisdom wise witty wombat wooden workshop wrench yacht yellow yonder young zebra zenith zigzag zinc zipper zodiac
`
  .trim()
  .split(/\s+/);
